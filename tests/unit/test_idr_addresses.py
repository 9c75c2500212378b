"""Addresses that the IDR registers or imported from, as those of the configured services."""

from __future__ import annotations

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.idr_addresses import NoAddressError, imported_address, registered_address
from lightmicroscopy.archives.idr_facts import Tables
from lightmicroscopy.archives.idr_routes import store_of

FTP = "https://ftp.ebi.ac.uk/pub/databases/IDR"
STORES = "https://livingobjects.ebi.ac.uk"
FACTS = Tables(Endpoints())
LOCAL = Tables(Endpoints(object_store="http://127.0.0.1:9000/objects", idr_originals="http://127.0.0.1:9001/tree"))
UUID = "103d9428-b86b-4f4e-84d8-966b5d89aae1"


@pytest.mark.parametrize(
    ("lsid", "url"),
    [
        ("s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/x/1.zarr?anonymous=true", f"{STORES}/idr/zarr/v0.4/x/1.zarr"),
        ("s3://livingobjects.ebi.ac.uk/idr/a.zarr/?anonymous=true", f"{STORES}/idr/a.zarr"),
        ("s3://livingobjects.ebi.ac.uk/idr/a.zarr?profile=x", f"{STORES}/idr/a.zarr"),
        ("s3%3A%2F%2Flivingobjects.ebi.ac.uk%2Fidr%2Fa.zarr%3Fanonymous%3Dtrue", f"{STORES}/idr/a.zarr"),
        ("s3://livingobjects.ebi.ac.uk/idr/a%20b%23c/%C3%A9.zarr", f"{STORES}/idr/a%20b%23c/%C3%A9.zarr"),
        ("s3://livingobjects.ebi.ac.uk/idr/a b/é.zarr", f"{STORES}/idr/a%20b/%C3%A9.zarr"),
        ("s3://livingobjects.ebi.ac.uk/idr/plate.zarr/A/1/0", f"{STORES}/idr/plate.zarr/A/1/0"),
        ("s3://LivingObjects.ebi.ac.uk/idr/a.zarr", f"{STORES}/idr/a.zarr"),
        ("https://livingobjects.ebi.ac.uk/idr/a.zarr", f"{STORES}/idr/a.zarr"),
        ("http://livingobjects.ebi.ac.uk/idr/a.zarr", f"{STORES}/idr/a.zarr"),
        ("s3://uk1s3.embassy.ebi.ac.uk/idr/zarr/v0.4/x/1.zarr", f"{STORES}/idr/zarr/v0.4/x/1.zarr"),
        ("s3://s3.embassy.ebi.ac.uk/idr/a.zarr", f"{STORES}/idr/a.zarr"),
        ("http://minio-dev.openmicroscopy.org:80/idr/a.zarr", f"{STORES}/idr/a.zarr"),
        (f"s3://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/S-BIAD1/{UUID}.zarr", f"{STORES}/bioimaging-integrator-data/S-BIAD1/{UUID}.zarr"),
        (
            "s3://uk1s3.embassy.ebi.ac.uk/bia-idr-integration/S-BIAD2216/HC/HC10/Patient_ImageStack_0000.ome.zarr/?anonymous=true",
            f"{STORES}/bia-idr-integration/S-BIAD2216/HC/HC10/Patient_ImageStack_0000.ome.zarr",
        ),
        ("/uod/idr/filesets/idr0138-lohoff-seqfish/a.ome.zarr/0", f"{FTP}/idr0138-lohoff-seqfish/a.ome.zarr/0"),
        ("file:///uod/idr/filesets/idr0138-lohoff-seqfish/a.ome.zarr", f"{FTP}/idr0138-lohoff-seqfish/a.ome.zarr"),
    ],
)
def test_what_is_registered_becomes_an_address(lsid: str, url: str) -> None:
    assert registered_address(lsid, FACTS) == url


@pytest.mark.parametrize(
    ("lsid", "why"),
    [
        ("/bia-idr/S-BIAD1961/experimentA/RPM.zarr/RPM.zarr", "S-BIAD1961, https://www.ebi.ac.uk/biostudies/studies/S-BIAD1961"),
        ("/data/idr/plate.zarr/A/1/0", "a path on the IDR's own server"),
        ("file:///etc/passwd", "a path on the IDR's own server"),
        ("s3://bucket/key.zarr", "names a bucket, but not the server"),
        ("s3:///key.zarr", "names no host"),
        ("s3://key:secret@livingobjects.ebi.ac.uk/idr/a.zarr", "carries a user name or password"),
        ("s3://[::1]/idr/a.zarr", "names no host"),
        ("s3://a.b\\c/idr/a.zarr", "names no host"),
        ("s3://livingobjects.ebi.ac.uk/idr/../secret.zarr", "goes up in folders"),
        ("s3://livingobjects.ebi.ac.uk/idr/%2e%2e/secret.zarr", "goes up in folders"),
        ("s3://livingobjects.ebi.ac.uk/idr/..%2Fsecret.zarr", "goes up in folders"),
        ("s3://livingobjects.ebi.ac.uk/idr/a%00b.zarr", "unprintable"),
        ("s3://livingobjects.ebi.ac.uk/idr/a%0d%0aHost:x", "unprintable"),
        ("s3://livingobjects.ebi.ac.uk/idr\\a.zarr", "unprintable"),
        ("s3://livingobjects.ebi.ac.uk/?anonymous=true", "nothing on it"),
        ("gs://bucket.x/key.zarr", "gs:// cannot be fetched"),
        ("javascript://x.y/alert", "javascript:// cannot be fetched"),
    ],
)
def test_what_gives_no_address_says_why(lsid: str, why: str) -> None:
    with pytest.raises(NoAddressError) as refused:
        registered_address(lsid, FACTS)
    assert why in str(refused.value)
    assert "secret@" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_addresses_of_public_services_are_asked_of_the_configured_ones() -> None:
    assert registered_address("s3://uk1s3.embassy.ebi.ac.uk/idr/a.zarr", LOCAL) == "http://127.0.0.1:9000/objects/idr/a.zarr"
    assert imported_address("uod/idr/filesets/idr0062-x/a.tif", LOCAL) == "http://127.0.0.1:9001/tree/idr0062-x/a.tif"
    assert registered_address("s3://127.0.0.1:9000/idr/a.zarr", LOCAL) == "http://127.0.0.1:9000/idr/a.zarr"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (
            "uod/idr/filesets/idr0062-blin-nuclearsegmentation/20190429-ftp/Acini/E14tg2a_d2.tif",
            f"{FTP}/idr0062-blin-nuclearsegmentation/20190429-ftp/Acini/E14tg2a_d2.tif",
        ),
        ("/uod/idr/filesets/idr0062-blin-nuclearsegmentation/a.tif", f"{FTP}/idr0062-blin-nuclearsegmentation/a.tif"),
        (
            "idr/filesets/idr0001-graml-sysgro/Meas_01(2012-07-31_10-41-12)/005010001.flex",
            f"{FTP}/idr0001-graml-sysgro/Meas_01(2012-07-31_10-41-12)/005010001.flex",
        ),
        ("idr/tmp/idr_datasets/201301120-breker-proteome-plasticity/Images/e.xml", f"{FTP}/idr0003-breker-plasticity/Images/e.xml"),
        ("uod/idr/filesets/idr0045-reichmann/20180806-renamed/a.tif", f"{FTP}/idr0045-reichmann-zygotespindle/20180806-renamed/a.tif"),
        ("uod/idr/filesets/idr0045-reichmannX/a.tif", f"{FTP}/idr0045-reichmannX/a.tif"),
        (
            "nfs/bioimage/drop/idr0063-newman-chromosomalloci/20190708-ftp/HET5WT1_t0.tif",
            f"{FTP}/idr0063-newman-chromosomalloci/20190708-ftp/HET5WT1_t0.tif",
        ),
        ("uod/idr/incoming/idr0018-x/BAZLA-TCP/Bazla-14-100-brain - 2015.ndpi", f"{FTP}/idr0018-x/BAZLA-TCP/Bazla-14-100-brain%20-%202015.ndpi"),
        (
            "uod/idr/filesets/idr0096-tratwal-marrowquant/m4 pelvic (20x #2).ome.tiff",
            f"{FTP}/idr0096-tratwal-marrowquant/m4%20pelvic%20(20x%20%232).ome.tiff",
        ),
        ("uod/idr/filesets/idr0047-x/#1_Raw?/100%.tif", f"{FTP}/idr0047-x/%231_Raw%3F/100%25.tif"),
        ("uod/idr/filesets/idr0999-new-study/a%20b.tif", f"{FTP}/idr0999-new-study/a%2520b.tif"),
        ("bia-idr/S-BIAD582/mps/a.tif", "https://ftp.ebi.ac.uk/biostudies/fire/S-BIAD/582/S-BIAD582/Files/mps/a.tif"),
        (
            f"https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr/.zattrs",
            f"{STORES}/bioimaging-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr/.zattrs",
        ),
        (
            "uod/idr/metadata/idr0163-greenwald-tnbc/companions/TONIC.companion.ome",
            "https://raw.githubusercontent.com/IDR/idr0163-greenwald-tnbc/main/companions/TONIC.companion.ome",
        ),
    ],
)
def test_import_paths_become_addresses(path: str, url: str) -> None:
    assert imported_address(path, FACTS) == url


@pytest.mark.parametrize(
    "path",
    [
        "data/idr-metadata/idr0170-rose-mibitof/experimentA/../metadata/RPM.ome.xml",
        "uod/idr/filesets/../../../etc/passwd",
        "uod/idr/filesets/./a.tif",
        "uod/idr/filesets2/idr0062/a.tif",
        "uod/idr/filesets",
        "x/uod/idr/filesets/idr0062-x/a.tif",
        "/etc/passwd",
        "",
        "uod/idr/filesets/a\nb.tif",
        "uod\\idr\\filesets\\a.tif",
    ],
)
def test_import_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(NoAddressError):
        imported_address(path, FACTS)


@pytest.mark.parametrize(
    ("path", "store"),
    [
        (f"https://h/b/S-BIAD867/{UUID}/{UUID}.zarr/.zattrs", f"https://h/b/S-BIAD867/{UUID}/{UUID}.zarr"),
        (f"https://h/b/{UUID}.zarr/.zgroup", f"https://h/b/{UUID}.zarr"),
        ("a/MMStack_Pos0.ome.zarr/1/0/0/0/3", "a/MMStack_Pos0.ome.zarr"),
        ("a/x.zarr/OME/METADATA.ome.xml", "a/x.zarr"),
        ("a/x.zarr/x.zarr/0/.zattrs", "a/x.zarr/x.zarr"),
        ("a/x.zarr/", "a/x.zarr"),
        ("a/store/zarr.json", "a/store"),
        ("a/x.zarr.zip", None),
        ("a/zarr.tif", None),
        ("zarr.json", None),
        ("", None),
    ],
)
def test_the_store_a_file_lies_in(path: str, store: str | None) -> None:
    assert store_of(path) == store
