"""A sheet of metadata for some of the images."""

from __future__ import annotations

TEXT = """\
# What a person has filled in for three images; of everything else nothing is known.
study:
- title: Drawn cells for tests of this suite
  description: Nobody has seen these cells, since a program draws them.
study_component:
- name: Drawn cells
  description: All images of the test data
biosample:
- name: Cells
  organism: Homo sapiens (NCBITaxon:9606)
  biological_entity: Drawn cells
specimen:
- name: Dish
  biosample: Cells
  preparation_method: Drawn
  channel_content: DNA; cytoplasm
acquisition:
- name: Drawing
  instrument: A program
image:
- image: cells.ome.tiff
  series: '0'
  image_name: Cells, drawn
  study_component: Drawn cells
  specimen: Dish
  acquisition: Drawing
  channel_names: Hoechst; EGFP
  excitation_nm: 350; 488
  emission_nm: 461; 507
  pixel_size_x_um: '0.5'
  pixel_size_y_um: '0.5'
  pixel_size_z_um: '2'
  objective_model: Plan 40x/1.2
  objective_magnification: '40'
  objective_na: '1.2'
  objective_immersion: Water
- image: cells_04.ome.zarr.zip
  image_name: Cells, drawn
  specimen: Dish
  channel_names: Hoechst; EGFP
  pixel_size_x_um: '0.5'
- image: cells_04.ome.zarr
  pixel_size_x_um: '0.5'
"""


def sheet() -> bytes:
    """YAML."""
    return TEXT.encode()
