"""Prompt editing: ``[from:to:when]``, ``[to:when]``, ``[from::when]`` and ``[one|other]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

_NUMBER = "0123456789."


@dataclass
class _Edit:
    before: _Text
    after: _Text
    when: float
    is_fraction: bool


@dataclass
class _Alternate:
    options: list[_Text]


@dataclass
class _Text:
    parts: list[Union[str, _Edit, _Alternate]] = field(default_factory=list)  # noqa: UP007  evaluated on 3.10 too


class _Parser:
    """Recursive descent; what is not well-formed editing stays text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def text(self, stops: str) -> _Text:
        """Read up to one of ``stops``; parentheses hide the separators inside them."""
        result = _Text()
        while self.position < len(self.source) and self.source[self.position] not in stops:
            char = self.source[self.position]
            if char == "\\":
                result.parts.append(self.source[self.position : self.position + 2])
                self.position += 2
            elif char == "[":
                result.parts += self._bracket()
            elif char == "(":
                result.parts += self._parenthesis()
            else:
                result.parts.append(char)
                self.position += 1
        return result

    def _parenthesis(self) -> list:
        self.position += 1
        inner = self.text(")")
        closed = self.source[self.position : self.position + 1]
        self.position += 1
        return ["(", *inner.parts, closed]

    def _bracket(self) -> list:
        start = self.position
        self.position += 1
        pieces, separators = [self.text(":|]")], ""
        while self.position < len(self.source) and self.source[self.position] != "]":
            separators += self.source[self.position]
            self.position += 1
            pieces.append(self.text(":|]"))
        if self.position >= len(self.source):
            self.position = start + 1
            return ["["]
        self.position += 1
        return [_meaning(pieces, separators)] if _is_editing(pieces, separators) else _literal(pieces, separators)


def _is_editing(pieces: list[_Text], separators: str) -> bool:
    if separators and set(separators) == {"|"}:
        return True
    return separators in (":", "::") and _number(pieces[-1]) is not None


def _number(text: _Text) -> str | None:
    flat = "".join(part if isinstance(part, str) else "?" for part in text.parts).strip()
    return flat if flat and all(char in _NUMBER for char in flat) and flat.count(".") < 2 else None


def _meaning(pieces: list[_Text], separators: str) -> _Edit | _Alternate:
    if separators[0] == "|":
        return _Alternate(pieces)
    when = _number(pieces[-1])
    before = pieces[0] if len(pieces) == 3 else _Text()
    return _Edit(before, pieces[-2], float(when), "." in when)


def _literal(pieces: list[_Text], separators: str) -> list:
    parts: list = ["[", *pieces[0].parts]
    for separator, piece in zip(separators, pieces[1:], strict=True):
        parts += [separator, *piece.parts]
    return [*parts, "]"]


def _switch_step(edit: _Edit, steps: int, hires_steps: int | None) -> int:
    """Last step that still shows ``before``. With hires steps, 1 to 2 and later counts mean the second pass."""
    if hires_steps is None:
        return min(steps, int(edit.when * steps if edit.is_fraction else edit.when))
    when = (edit.when - 1) * hires_steps if edit.is_fraction else edit.when - steps
    return min(hires_steps, int(when))


def _changes(text: _Text, steps: int, hires_steps: int | None) -> set[int]:
    total = hires_steps or steps
    found: set[int] = set()
    for part in text.parts:
        if isinstance(part, _Edit):
            found.add(_switch_step(part, steps, hires_steps))
            found |= _changes(part.before, steps, hires_steps) | _changes(part.after, steps, hires_steps)
        elif isinstance(part, _Alternate):
            found |= set(range(1, total + 1))
    return {step for step in found if 1 <= step <= total}


def _render(text: _Text, step: int, steps: int, hires_steps: int | None) -> str:
    rendered = ""
    for part in text.parts:
        if isinstance(part, str):
            rendered += part
        elif isinstance(part, _Edit):
            chosen = part.before if step <= _switch_step(part, steps, hires_steps) else part.after
            rendered += _render(chosen, step, steps, hires_steps)
        else:
            chosen = part.options[(step - 1) % len(part.options)]
            rendered += _render(chosen, step, steps, hires_steps)
    return rendered


def get_learned_conditioning_prompt_schedules(
    prompts: Sequence[str], base_steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> list[list[list]]:
    """Return, for each prompt, ``[[last step, text], …]``."""
    known: dict[str, list[list]] = {}
    for prompt in prompts:
        if prompt not in known:
            text = _Parser(prompt).text("")
            ends = sorted(_changes(text, base_steps, hires_steps) | {hires_steps or base_steps})
            known[prompt] = [[end, _render(text, end, base_steps, hires_steps)] for end in ends]
    return [known[prompt] for prompt in prompts]
