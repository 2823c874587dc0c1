"""What a validator found, in one line of our own words: the key, the rule, what came, what to do."""

from pydantic import ValidationError

_RULES = {
    "missing": "is not set; every recipe needs it",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of options",
    "model_type": "must be a mapping of options",
    "model_attributes_type": "must be a mapping of options",
}


def first_problem(error: ValidationError, where: str = "") -> str:
    """One line for the first thing the validator found.

    Where alternatives were tried (a number or nothing), the problem of the first alternative is the telling one.
    """
    problem = error.errors(include_url=False)[0]
    path = ".".join(str(p) for p in problem["loc"] if not _is_noise(p))
    key = ".".join(p for p in (where, path) if p)
    rule = _RULES.get(problem["type"])
    text = rule.format(**problem.get("ctx", {})) if rule else _lower(problem["msg"])
    if problem["type"] == "missing":
        return f"{key} {text}."
    return f"{key} {text}, got {problem['input']!r}."


def _is_noise(part: object) -> bool:
    """Pydantic puts the names of validators and union members into the path."""
    return isinstance(part, str) and ("[" in part or part in _MEMBERS)


_MEMBERS = {"int", "float", "str", "bool", "none", "list", "tuple", "constrained-float"}


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
