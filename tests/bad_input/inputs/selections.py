"""A sound image, asked for what it does not have."""

from .makers import MAKERS, of_cells

SELECTIONS = {
    "region outside": ["--region", "100,0,64,64"],
    "region before the edge": ["--region=-1,0,10,10"],
    "region without area": ["--region", "0,0,0,10"],
    "region not four numbers": ["--region", "1,2,3"],
    "center outside": ["--center", "0,0,20,20"],
    "z outside": ["--z", "1:4"],
    "z beyond": ["--z", "3"],
    "z of no planes": ["--z", "2:2"],
    "z backwards": ["--z", "2:1"],
    "z not a number": ["--z", "one"],
    "t outside": ["--t", "1"],
    "channel by name": ["--channel", "Cy5"],
    "channel by index": ["--channel", "index:2"],
    "series by index": ["--series", "1"],
    "series by name": ["--series", "name:Overview"],
    "level": ["--level", "1"],
}
for _name, _arguments in SELECTIONS.items():
    MAKERS[_name] = lambda folder, arguments=tuple(_arguments): of_cells(folder, *arguments)
