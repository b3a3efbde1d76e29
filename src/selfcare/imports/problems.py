"""What is wrong with the files, as file:line:column, at most a hundred."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """`column` is the number of the cell, 1 first; 0 where the whole line or file is meant."""

    file: str
    line: int
    column: int
    name: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        return f"{place}: {self.name}: {self.message}" if self.name else f"{place}: {self.message}"


class TooMany(Exception):
    """There is no point in reading on."""


class Refused(Exception):
    """Nothing was imported."""

    def __init__(self, problems: list[Problem], *, more: bool = False) -> None:
        lines = [str(problem) for problem in problems]
        if more:
            lines.append(f"… and more: these are the first {MOST}.")
        super().__init__("\n".join(lines))
        self.problems = problems
        self.more = more


@dataclass(slots=True)
class Problems:
    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        if len(self.found) == MOST:
            raise TooMany
        self.found.append(problem)
