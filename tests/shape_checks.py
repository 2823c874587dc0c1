"""The checker behind the import hook: beartype, with an int accepted for a float as the type system has it."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
