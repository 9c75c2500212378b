import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

import loci.common.DebugTools;
import loci.common.services.ServiceFactory;
import loci.formats.FormatTools;
import loci.formats.ImageReader;
import loci.formats.ome.OMEXMLMetadata;
import loci.formats.services.OMEXMLService;

/**
 * Opens every file named on standard input and prints one JSON line for each: what Bio-Formats sees in it.
 *
 * Planes come in the order XYZCT (z fastest). Their CRC-32 is taken over little-endian values with the samples of a
 * pixel side by side, so that it does not depend on how the file stores them.
 */
public final class Planes {
  private Planes() {
  }

  public static void main(String[] arguments) throws Exception {
    DebugTools.setRootLevel("OFF");
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    BufferedReader names = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String name = names.readLine(); name != null; name = names.readLine()) {
      StringBuilder line = new StringBuilder("{\"file\":").append(quote(name));
      try {
        line.append(describe(name));
      } catch (Exception | LinkageError error) {
        line.setLength(0);
        line.append("{\"file\":").append(quote(name)).append(",\"error\":").append(quote(error.toString()));
      }
      out.println(line.append('}'));
    }
  }

  private static String describe(String name) throws Exception {
    OMEXMLService service = new ServiceFactory().getInstance(OMEXMLService.class);
    OMEXMLMetadata metadata = service.createOMEXMLMetadata();
    StringBuilder text = new StringBuilder();
    try (ImageReader reader = new ImageReader()) {
      reader.setFlattenedResolutions(false);
      reader.setMetadataStore(metadata);
      reader.setId(name);
      text.append(",\"format\":").append(quote(reader.getFormat())).append(",\"series\":[");
      for (int series = 0; series < reader.getSeriesCount(); series++) {
        reader.setSeries(series);
        text.append(series == 0 ? "" : ",").append(describeSeries(reader));
      }
      text.append("],\"ome\":").append(quote(service.getOMEXML(metadata)));
    }
    return text.toString();
  }

  private static String describeSeries(ImageReader reader) throws Exception {
    StringBuilder text = new StringBuilder("{");
    text.append("\"order\":").append(quote(reader.getDimensionOrder()));
    text.append(",\"type\":").append(quote(FormatTools.getPixelTypeString(reader.getPixelType())));
    text.append(",\"significant_bits\":").append(reader.getBitsPerPixel());
    text.append(",\"little_endian\":").append(reader.isLittleEndian());
    text.append(",\"interleaved\":").append(reader.isInterleaved());
    text.append(",\"indexed\":").append(reader.isIndexed());
    text.append(",\"thumbnail\":").append(reader.isThumbnailSeries());
    text.append(",\"samples\":").append(reader.getRGBChannelCount());
    text.append(",\"levels\":[");
    for (int level = 0; level < reader.getResolutionCount(); level++) {
      reader.setResolution(level);
      text.append(level == 0 ? "" : ",").append(describeLevel(reader));
    }
    reader.setResolution(0);
    return text.append("]}").toString();
  }

  private static String describeLevel(ImageReader reader) throws Exception {
    StringBuilder text = new StringBuilder("{");
    text.append("\"x\":").append(reader.getSizeX()).append(",\"y\":").append(reader.getSizeY());
    text.append(",\"z\":").append(reader.getSizeZ()).append(",\"c\":").append(reader.getEffectiveSizeC());
    text.append(",\"t\":").append(reader.getSizeT()).append(",\"crc\":[");
    String separator = "";
    for (int t = 0; t < reader.getSizeT(); t++) {
      for (int c = 0; c < reader.getEffectiveSizeC(); c++) {
        for (int z = 0; z < reader.getSizeZ(); z++) {
          CRC32 crc = new CRC32();
          crc.update(normalise(reader, reader.openBytes(reader.getIndex(z, c, t))));
          text.append(separator).append(crc.getValue());
          separator = ",";
        }
      }
    }
    return text.append("]}").toString();
  }

  /** Samples side by side, each value little-endian. */
  private static byte[] normalise(ImageReader reader, byte[] plane) {
    int bytes = FormatTools.getBytesPerPixel(reader.getPixelType());
    int samples = reader.getRGBChannelCount();
    int pixels = plane.length / bytes / samples;
    boolean little = reader.isLittleEndian();
    boolean interleaved = reader.isInterleaved();
    byte[] result = new byte[plane.length];
    for (int pixel = 0; pixel < pixels; pixel++) {
      for (int sample = 0; sample < samples; sample++) {
        int from = bytes * (interleaved ? pixel * samples + sample : sample * pixels + pixel);
        int to = bytes * (pixel * samples + sample);
        for (int part = 0; part < bytes; part++) {
          result[to + part] = plane[from + (little ? part : bytes - 1 - part)];
        }
      }
    }
    return result;
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char letter : String.valueOf(text).toCharArray()) {
      if (letter == '"' || letter == '\\' || letter < ' ' || letter > '~') {
        quoted.append(String.format("\\u%04x", (int) letter));
      } else {
        quoted.append(letter);
      }
    }
    return quoted.append('"').toString();
  }
}
