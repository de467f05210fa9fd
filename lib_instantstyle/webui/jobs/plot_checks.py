"""What an X/Y/Z plot would leave blank is refused before its first cell: the plot swallows what its cells raise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from lib_instantstyle.errors import InstantStyleError, ParameterError
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.style_params import controls
from lib_instantstyle.webui.jobs.arguments import axis_value, read_arguments, require_on, with_axes
from lib_instantstyle.webui.jobs.job_errors import prefers_warning
from lib_instantstyle.webui.styles.requirements import GivenPictures
from lib_instantstyle.webui.styles.style_builder import StyleBuilder


class PlotChecks:
    """Checks the values of axes; ``builder`` makes the styles of the cells."""

    def __init__(self, builder: StyleBuilder) -> None:
        self._builder = builder

    def check_axis(self, args: Sequence[Any], name: str, values: Sequence[Any]) -> None:
        """Refuse values of one axis.

        Raises:
            InstantStyleError: If the arguments are off, or no cell could use a value.
        """
        if not prefers_warning():  # else each cell is made, with its warning
            builder = self._builder.for_one_job()
            require_on(read_arguments(args, builder.library), [name])
            for value in values:
                builder.require_files(axis_value(name, value))

    def check_cells(self, args: Sequence[Any], axes: Mapping[str, Sequence[Any]], *, has_input: bool) -> None:
        """Refuse values of all axes that contradict each other, or the other arguments.

        ``has_input`` says whether each cell has an input picture of img2img.

        Raises:
            ParameterError: Naming the first such cell, and what its job would say.
        """
        if prefers_warning():
            return
        builder = self._builder.for_one_job()
        params = read_arguments(args, builder.library)
        for values in itertools.product(*axes.values()):
            cell = dict(zip(axes, values, strict=True))
            try:
                own = with_axes(params, cell, builder.library)
                builder.check(own, GivenPictures.of(own, has_input=has_input))
            except InstantStyleError as error:
                named = ", ".join(f"{controls()[name].label} {quoted(value)}" for name, value in cell.items())
                raise ParameterError(f"The X/Y/Z plot has a cell that cannot be made, with {named}: {error}") from error
            params = params.replace(masks=None)  # they are the same in all cells
