"""What is sent where: a little to everything, or everything to everything."""

from tests.hostile import values
from tests.hostile.attacker import Attacker, Target

FEW_TEXTS = [values.TEXTS[name] for name in values.FEW_TEXTS]
# The same lines of the kit read these for every form, and they would be every third parameter.
IN_EVERY_FORM = {"csrf_token", "submit"}


def attack_briefly(attacker: Attacker) -> None:
    """Send a few values to everything that the site has."""
    for target in attacker.targets():
        attacker.paths(target, values.FEW_PATH_PARTS)
        attacker.parameters(target, FEW_TEXTS, one_by_one=False)
        if target.method != "GET":
            send_bodies(attacker, target, values.FEW_BODIES)


def send_bodies(attacker: Attacker, target: Target, kinds: tuple[str, ...]) -> None:
    """Send bodies that are no form of ours."""
    for kind in kinds:
        content_type, body = values.BODIES[kind]
        path = target.address()
        attacker.send(target.person, target.method, path, data=body, content_type=content_type)


def attack_parameters(attacker: Attacker, texts: list[bytes]) -> None:
    """Send each text in each parameter of each page, the others plausible.

    Whom the page reads the same parameters from, it treats alike: the second one sends all of them at once. What is in
    every form gets each text in the first form, and a few texts in the others, by :func:`attack_briefly`.
    """
    known: set[tuple[str, str, frozenset[str]]] = set()
    sent_in_a_form: set[str] = set()
    for target in attacker.targets():
        names = (target.method, str(target.rule), frozenset(attacker.plausible_parameters(target)))
        attacker.parameters(target, texts, one_by_one=names not in known, but=frozenset(sent_in_a_form))
        known.add(names)
        sent_in_a_form |= IN_EVERY_FORM & names[2]


def attack_addresses(attacker: Attacker) -> None:
    """Send each part of an address and each query to each page."""
    for target in attacker.targets():
        attacker.paths(target, values.PATH_PARTS)
        for query in values.QUERIES if target.method == "GET" else ():
            attacker.send(target.person, "GET", target.address(), query_string=query)
    for path in values.PATH_PARTS:
        attacker.send("anonymous", "GET", f"/{path}")
        attacker.send("anonymous", "GET", f"/static/{path}")


def attack_bodies(attacker: Attacker) -> None:
    """Send each body to each page that takes one, and a few to the others."""
    for target in attacker.targets():
        send_bodies(attacker, target, values.FEW_BODIES if target.method == "GET" else tuple(values.BODIES))


def attack_headers(attacker: Attacker) -> None:
    """Send each set of headers to each page, and each method, those that it does not have above all."""
    addresses = set()
    for target in attacker.targets():
        for headers in values.HEADERS:
            attacker.send(target.person, target.method, target.address(), headers=headers)
        if (target.person, target.address()) not in addresses:
            addresses.add((target.person, target.address()))
            for method in values.METHODS:
                attacker.send(target.person, method, target.address())
