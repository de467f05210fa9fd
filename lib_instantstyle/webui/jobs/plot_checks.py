"""What an X/Y/Z plot would leave blank is refused before its first cell: the plot swallows what its cells raise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from lib_instantstyle.errors import InstantStyleError, ParameterError
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.picture_hashes import ROLES
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.webui.encoding.job_pictures import given_references
from lib_instantstyle.webui.jobs.arguments import axis_value, read_arguments, require_on, with_axes
from lib_instantstyle.webui.jobs.job_errors import prefers_warning
from lib_instantstyle.webui.styles.requirements import GivenPictures
from lib_instantstyle.webui.styles.style_builder import StyleBuilder


def check_axis(builder: StyleBuilder, args: Sequence[Any], name: str, values: Sequence[Any]) -> None:
    """Refuse values of one axis.

    Raises:
        InstantStyleError: If the arguments are off, or no cell could use a value.
    """
    if not prefers_warning():  # else each cell is made, with its warning
        require_on(read_arguments(args, builder.library), [name])
        builder = builder.for_one_job()
        for value in values:
            builder.require_files(axis_value(name, value))


def check_cells(builder: StyleBuilder, args: Sequence[Any], axes: Mapping[str, Sequence[Any]], *, inputs: bool) -> None:
    """Refuse values of all axes that contradict each other, or the other arguments.

    ``inputs`` says whether each cell has an input picture of img2img.

    Raises:
        ParameterError: Naming the first such cell, and what its job would say.
    """
    if prefers_warning():
        return
    builder = builder.for_one_job()
    params = read_arguments(args, builder.library)
    for values in itertools.product(*axes.values()):
        cell = dict(zip(axes, values, strict=True))
        try:
            own = with_axes(params, cell, builder.library)
            builder.check(own, _given(own, inputs=inputs))
        except InstantStyleError as error:
            named = ", ".join(f"{controls()[name].label} {quoted(value)}" for name, value in cell.items())
            raise ParameterError(f"The X/Y/Z plot has a cell that cannot be made, with {named}: {error}") from error
        params = params.replace(masks=None)  # they are the same in all cells


def _given(params: StyleParams, *, inputs: bool) -> GivenPictures:
    roles = frozenset(role for role in ROLES if not is_empty(getattr(params, f"{role}_image")))
    return GivenPictures(len(given_references(params)), roles, inputs)
