"""Everything the archive holds, found by number."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from .model import Annotated, Dataset, Fileset, Image, Plate, Project, Sample, Screen, Well

Thing = TypeVar("Thing")

# The chain of containers above an object, the topmost first.
Path = tuple[Annotated, ...]


@dataclass
class Catalogue:
    """Objects by kind and number, and what each lies in."""

    projects: dict[int, Project] = field(default_factory=dict)
    screens: dict[int, Screen] = field(default_factory=dict)
    datasets: dict[int, Dataset] = field(default_factory=dict)
    plates: dict[int, Plate] = field(default_factory=dict)
    wells: dict[int, Well] = field(default_factory=dict)
    images: dict[int, Image] = field(default_factory=dict)
    filesets: dict[int, Fileset] = field(default_factory=dict)
    paths: dict[int, Path] = field(default_factory=dict)
    samples: dict[int, Sample] = field(default_factory=dict)

    def add_project(self, project: Project) -> None:
        """Add a project with all that lies in it."""
        self._new(self.projects, project.id, project)
        for dataset in project.datasets:
            self._new(self.datasets, dataset.id, dataset)
            for image in dataset.images:
                self.add_image(image, (project, dataset))

    def add_screen(self, screen: Screen) -> None:
        """Add a screen with all that lies in it."""
        self._new(self.screens, screen.id, screen)
        for plate in screen.plates:
            self._new(self.plates, plate.id, plate)
            for well in plate.wells:
                self._new(self.wells, well.id, well)
                for sample in well.samples:
                    self.add_image(sample.image, (screen, plate, well))
                    self.samples[sample.image.id] = sample

    def add_image(self, image: Image, above: Path = ()) -> None:
        """Add an image that lies in nothing, or in `above`."""
        self._new(self.images, image.id, image)
        self.paths[image.id] = above

    def add_filesets(self, filesets: Iterable[Fileset]) -> None:
        """Add what images were imported from."""
        for fileset in filesets:
            self._new(self.filesets, fileset.id, fileset)

    def fileset_of(self, image: Image) -> Fileset | None:
        """Return what an image was imported from."""
        return None if image.fileset is None else self.filesets[image.fileset]

    def screen_of(self, plate: Plate) -> Screen | None:
        """Return the screen of a plate."""
        return next((screen for screen in self.screens.values() if plate in screen.plates), None)

    def plate_of(self, well: Well) -> Plate:
        """Return the plate of a well."""
        return next(plate for plate in self.plates.values() if well in plate.wells)

    def project_of(self, dataset: Dataset) -> Project | None:
        """Return the project of a dataset."""
        return next((project for project in self.projects.values() if dataset in project.datasets), None)

    def under(self, container: Project | Screen) -> Iterator[Image]:
        """Yield the images of a project or screen."""
        for number, path in self.paths.items():
            if path and path[0] is container:
                yield self.images[number]

    @staticmethod
    def _new(where: dict[int, Thing], number: int, thing: Thing) -> None:
        if number in where:
            raise ValueError(f"{type(thing).__name__} {number} is there twice")
        where[number] = thing


@functools.cache
def catalogue() -> Catalogue:
    """Return the archive's content; it is never changed, so all archives of a process share it."""
    from . import idr0001, idr0008, idr0062, oddities, originals

    everything = Catalogue()
    for part in (idr0062, idr0001, idr0008, originals, oddities):
        part.add(everything)
    return everything
