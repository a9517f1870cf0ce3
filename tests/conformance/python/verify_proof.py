"""Checks Amulet's proof files and fork files: a second implementation, written from docs/spec alone, on Python's standard
library.

    verify_proof.py GENESIS FILE      prints what the file proves, as JSON; exits with 1 if it is refused
    verify_proof.py --all FOLDER      prints a verdict for every *.amuletproof and *.amuletfork beside the folder's genesis.bin

Nothing here is constant-time or fast: it checks public values.
"""

import hashlib
import json
import pathlib
import sys

# --- SM3: GB/T 32905 (hashlib has it where OpenSSL does) ---------------------------------------------------------------


def sm3_by_hand(data):
    def rotl(x, n):
        n %= 32
        return (x << n | x >> (32 - n)) & 0xFFFFFFFF

    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    for at in range(0, len(padded), 64):
        w = [int.from_bytes(padded[at + i : at + i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)
            w.append(x ^ rotl(x, 15) ^ rotl(x, 23) ^ rotl(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            ss1 = rotl(rotl(a, 12) + e + rotl(0x79CC4519 if j < 16 else 0x7A879D8A, j) & 0xFFFFFFFF, 7)
            ss2 = ss1 ^ rotl(a, 12)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = ff + d + ss2 + (w[j] ^ w[j + 4]) & 0xFFFFFFFF
            tt2 = gg + h + ss1 + w[j] & 0xFFFFFFFF
            a, b, c, d = tt1, a, rotl(b, 9), c
            e, f, g, h = tt2 ^ rotl(tt2, 9) ^ rotl(tt2, 17), e, rotl(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


def sm3_by_openssl(data):
    return hashlib.new("sm3", data).digest()


sm3 = sm3_by_openssl if "sm3" in hashlib.algorithms_available else sm3_by_hand


def tagged(tag, parts):
    t = sm3(b"amulet/v1/" + tag)
    return sm3(t + t + b"".join(len(part).to_bytes(8, "big") + part for part in parts))


# --- SM2 signatures: GB/T 32918.2 on the curve of GB/T 32918.5 --------------------------------------------------------

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
USER_ID = b"1234567812345678"


def double(point):
    x, y, z = point
    if z == 0 or y == 0:
        return (1, 1, 0)
    s = 4 * x * y * y % P
    m = 3 * x * x + A * pow(z, 4, P)
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y * z % P)


def add(left, right):
    """The sum of two points in Jacobian coordinates; z = 0 is infinity."""
    if left[2] == 0:
        return right
    if right[2] == 0:
        return left
    x1, y1, z1 = left
    x2, y2, z2 = right
    u1, u2 = x1 * z2 * z2 % P, x2 * z1 * z1 % P
    s1, s2 = y1 * pow(z2, 3, P) % P, y2 * pow(z1, 3, P) % P
    if u1 == u2:
        return double(left) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    x3 = (r * r - h**3 - 2 * u1 * h * h) % P
    return (x3, (r * (u1 * h * h - x3) - s1 * h**3) % P, h * z1 * z2 % P)


def times(number, point):
    total = (1, 1, 0)
    for bit in bin(number)[2:]:
        total = double(total)
        if bit == "1":
            total = add(total, (*point, 1))
    return total


def point_of(key):
    """The point of a compressed public key; None if it is none."""
    x = int.from_bytes(key[1:], "big")
    if key[0] not in (2, 3) or x >= P:
        return None
    square = (x**3 + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return (x, y if y % 2 == key[0] % 2 else P - y)


def number(value):
    return value.to_bytes(32, "big")


def signed(key, context, chain, message, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (1 <= r < N and 1 <= s < N) or (r + s) % N == 0:
        return False
    point = point_of(key)
    identity = (8 * len(USER_ID)).to_bytes(2, "big") + USER_ID
    z = sm3(identity + b"".join(map(number, (A, B, *G, *point))))
    e = int.from_bytes(sm3(z + bytes([len(context)]) + context + chain + message), "big")
    x, _, zz = add(times(s, G), times((r + s) % N, point))
    if zz == 0:
        return False
    x = x * pow(zz, -2, P) % P
    return (e + x) % N == r


# --- borsh: docs/spec/encoding.md -------------------------------------------------------------------------------------


class Refused(Exception):
    """A file that breaks the rule of this name."""


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Refused("decode")
        self.at += count
        return self.data[self.at - count : self.at]

    def read(self, kind):
        """Reads a value: a kind is a size of bytes, a function of the reader, or a list of (name, kind) for a struct."""
        if isinstance(kind, int):
            return self.take(kind)
        if callable(kind):
            return kind(self)
        return {name: self.read(kind) for name, kind in kind}


def uint(size):
    return lambda reader: int.from_bytes(reader.take(size), "little")


U8, U16, U32, U64 = uint(1), uint(2), uint(4), uint(8)
DIGEST, DID, SIGNATURE = 32, 20, 64


def many(kind):
    def read(reader):
        count = U32(reader)
        # No item is empty, so a number beyond the bytes that are left is a lie.
        if count > len(reader.data) - reader.at:
            raise Refused("decode")
        return [reader.read(kind) for _ in range(count)]

    return read


def octets(reader):
    return reader.take(U32(reader))


def option(kind):
    def read(reader):
        flag = U8(reader)
        if flag > 1:
            raise Refused("decode")
        return reader.read(kind) if flag else None

    return read


def choice(*variants):
    """An enum: (position, fields in order)."""

    def read(reader):
        position = U8(reader)
        if position >= len(variants):
            raise Refused("decode")
        return (position, *[reader.read(kind) for kind in variants[position]])

    return read


def raw(kind):
    """A value with its own encoding."""

    def read(reader):
        start = reader.at
        value = reader.read(kind)
        return value, reader.data[start : reader.at]

    return read


def public_key(reader):
    key = reader.take(33)
    if point_of(key) is None:
        raise Refused("decode")
    return key


def validator_set(reader):
    members = many([("organisation", DID), ("key", public_key), ("peer_id", octets)])
    members, encoded = raw(members)(reader)
    keys = {member["key"] for member in members}
    if not 4 <= len(members) <= 100 or len(keys) < len(members):
        raise Refused("decode")
    if any(len(member["peer_id"]) > 64 for member in members):
        raise Refused("decode")
    return {"members": members, "hash": tagged(b"validator-set", [encoded])}


HEADER = raw(
    [("version", U16), ("chain", DIGEST), ("height", U64), ("time", U64), ("previous", DIGEST)]
    + [("transactions_root", DIGEST), ("receipts_root", DIGEST), ("state_root", DIGEST), ("range_root", DIGEST)]
    + [("validators_hash", DIGEST), ("next_validators_hash", DIGEST), ("proposer", U16), ("view", U64)]
)


def header(reader):
    fields, encoded = HEADER(reader)
    return {**fields, "hash": tagged(b"header", [encoded])}


VOTE = raw([("height", U64), ("view", U64), ("header_hash", DIGEST)])
SIGNED_HEADER = [("header", header), ("vote", VOTE), ("signatures", many([("signer", U16), ("signature", SIGNATURE)]))]

LOCATOR, ID = 5, 32
STATE_KEY = raw(
    choice(
        [DID], [DID], [DID], [DID], [ID], [ID], [ID], [LOCATOR], [DID], [ID], [DID], [], [U64], [ID], [], [DIGEST], [U64, U16],
        [DID], [DID],
    )
)  # fmt: skip
HISTORY_KEY = 10

EVENT = choice(
    [], [DID], [DID, U32], [ID, DID, DID], [ID, ID, DID], [ID, DID], [ID, DID], [ID, DID, U32], [LOCATOR], [LOCATOR],
    [ID, LOCATOR, DID, U64], [ID, DID], [ID, DID], [ID, DID], [ID, U64], [U32, U64],
    [U64, U16, choice([], [], [], []), U64, DID],
)  # fmt: skip
ENTRY = raw([("number", U64), ("height", U64), ("time", U64), ("transaction", ID), ("event", EVENT)])
REFUSAL_CODES = 59
OUTCOME = choice([many([("did", DID), ("number", U64), ("event", EVENT)])], [choice(*[[]] * REFUSAL_CODES)])
RECEIPT = raw([("transaction", ID), ("outcome", OUTCOME)])

EMPTY, ASKED, OTHER, BRANCH, BESIDE = range(5)
NODES = many(choice([], [], [DIGEST, DIGEST], [], [DIGEST]))
BATCH = [("values", many(option(octets))), ("nodes", NODES)]
LIST_PROOF = [("leaves", U32), ("indices", many(U32)), ("hashes", many(DIGEST))]

STATEMENT = choice(
    [U64],
    [U64, many(STATE_KEY), BATCH],
    [U64, many(RECEIPT), LIST_PROOF],
    [DID, U64, BATCH, many(ENTRY)],
)
EPOCHS = many([("header", SIGNED_HEADER), ("next", validator_set)])
PROOF = [
    ("chain", DIGEST),
    ("epochs", EPOCHS),
    ("anchor", SIGNED_HEADER),
    ("older", many(header)),
    ("range", many(DIGEST)),
    ("statements", many(STATEMENT)),
]
FORK = [("chain", DIGEST), ("epochs", EPOCHS), ("lower", SIGNED_HEADER), ("upper", SIGNED_HEADER)]


def decode(data, kind, size_max):
    if len(data) > size_max:
        raise Refused("decode")
    reader = Reader(data)
    value = reader.read(kind)
    if reader.at != len(data):
        raise Refused("decode")
    return value


def genesis_of(data):
    organisation = [("name_en", octets), ("name_zh", octets), ("key", public_key)]
    fields = [("version", U16), ("network", octets), ("time", U64), ("organisations", many(organisation))]
    genesis = decode(data, fields + [("validators", validator_set)], 1024 * 1024)
    names = [name for one in genesis["organisations"] for name in (one["name_en"], one["name_zh"])]
    dids = {sm3(one["key"])[:20] for one in genesis["organisations"]}
    strangers = [one for one in genesis["validators"]["members"] if one["organisation"] not in dids]
    if genesis["version"] != 1 or strangers or any(not 1 <= len(name) <= 120 for name in names):
        raise Refused("genesis")
    return tagged(b"genesis", [data]), genesis["validators"]


# --- Certificates: docs/spec/certificate.md ---------------------------------------------------------------------------


def check_certificate(signed_header, chain, validators, prefix):
    head, (vote, message), signatures = (signed_header[part] for part in ("header", "vote", "signatures"))
    members = validators["members"]
    n = len(members)
    f = (n - 1) // 3
    quorum = -(-(n + f + 1) // 2)

    def refuse_unless(good, rule):
        if not good:
            raise Refused(prefix + rule)

    refuse_unless(head["version"] == 1, "version")
    refuse_unless(head["chain"] == chain, "chain")
    refuse_unless(vote["height"] == head["height"], "height")
    refuse_unless(vote["header_hash"] == head["hash"], "header-hash")
    refuse_unless(head["validators_hash"] == validators["hash"], "validator-set")
    refuse_unless(len(signatures) >= quorum, "too-few")
    last = -1
    for entry in signatures:
        refuse_unless(entry["signer"] > last, "signer-order")
        refuse_unless(entry["signer"] < n, "unknown-signer")
        last = entry["signer"]
    for entry in signatures:
        key = members[entry["signer"]]["key"]
        refuse_unless(signed(key, b"amulet/v1/commit", chain, message, entry["signature"]), "signature")


# --- Trees: docs/spec/proofs.md ---------------------------------------------------------------------------------------


def several(count, known, hashes, join, prefix):
    """The root over `count` leaves, of which `known` are given as (place, hash), and the hashes beside them."""
    last = -1
    for place, _ in known:
        if place >= count:
            raise Refused(prefix + "beyond")
        if place <= last:
            raise Refused(prefix + "order")
        last = place
    if not known:
        raise Refused(prefix + "nothing")
    rest = list(reversed(hashes))

    def root(first, n, known):
        if not known:
            if not rest:
                raise Refused(prefix + "too-short")
            return rest.pop()
        if n == 1:
            return known[0][1]
        k = 1 << (n - 1).bit_length() - 1
        left = root(first, k, [leaf for leaf in known if leaf[0] < first + k])
        right = root(first + k, n - k, [leaf for leaf in known if leaf[0] >= first + k])
        return join(n, left, right)

    found = root(0, count, known)
    if rest:
        raise Refused(prefix + "unused")
    return found


def check_range(anchor, older, hashes):
    if not older and not hashes:
        return
    height = anchor["height"]
    if len(older) > 256:
        raise Refused("range-too-many")
    if height > 1 << 62:
        raise Refused("range-too-high")

    def join(n, left, right):
        if n & (n - 1) == 0:
            return tagged(b"range-node", [left, right])
        return tagged(b"range-peaks", [right, left])

    known = [(head["height"], tagged(b"range-leaf", [head["hash"]])) for head in older]
    bagged = several(height, known, hashes, join, "range-")
    if tagged(b"range-root", [height.to_bytes(8, "big"), bagged]) != anchor["range_root"]:
        raise Refused("range-root")


def check_list(root, items, proof):
    if proof["leaves"] > 2000:
        raise Refused("receipts-leaves")
    if len(proof["indices"]) > 256:
        raise Refused("receipts-too-many")
    if len(proof["indices"]) != len(items):
        raise Refused("receipts-count")
    known = [(index, sm3(b"\x00" + item)) for index, item in zip(proof["indices"], items)]
    join = lambda _, left, right: sm3(b"\x01" + left + right)  # noqa: E731
    plain = several(proof["leaves"], known, proof["hashes"], join, "receipts-")
    if tagged(b"list-root", [plain, proof["leaves"].to_bytes(4, "big")]) != root:
        raise Refused("receipts-root")


PLACEHOLDER = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"


def bit(place, depth):
    return place[depth // 8] >> (7 - depth % 8) & 1


def check_state(root, keys, batch):
    """Gives what the state holds: place of the key -> value, or None where it is absent."""
    values, nodes = batch["values"], list(reversed(batch["nodes"]))
    if not 1 <= len(keys) <= 256:
        raise Refused("state-keys")
    if len(values) != len(keys):
        raise Refused("state-count")
    claims = dict(zip((tagged(b"state-key", [key]) for key in keys), values))
    if len(claims) < len(keys):
        raise Refused("state-duplicate")

    def leaf(place, value_hash):
        return sm3(b"JMT::LeafNode" + place + value_hash)

    def walk(asked, depth):
        if not nodes:
            raise Refused("state-too-short")
        kind, *given = nodes.pop()
        if not asked:
            if kind == EMPTY:
                return PLACEHOLDER
            if kind == BESIDE and given[0] != PLACEHOLDER:
                return given[0]
            raise Refused("state-superfluous")
        present = [place for place in asked if claims[place] is not None]
        if kind == BRANCH:
            if depth == 256:
                raise Refused("state-too-deep")
            left = walk([place for place in asked if not bit(place, depth)], depth + 1)
            right = walk([place for place in asked if bit(place, depth)], depth + 1)
            return sm3(b"JMT::IntrnalNode" + left + right)
        if kind == BESIDE:
            raise Refused("state-not-covered")
        if kind == ASKED:
            if len(present) != 1:
                raise Refused("state-claim")
            return leaf(present[0], sm3(claims[present[0]]))
        if present:
            raise Refused("state-claim")
        if kind == EMPTY:
            return PLACEHOLDER
        place, value_hash = given
        if place in asked:
            raise Refused("state-claim")
        if any(bit(place, at) != bit(asked[0], at) for at in range(depth)):
            raise Refused("state-place")
        return leaf(place, value_hash)

    found = walk(sorted(claims), 0)
    if nodes:
        raise Refused("state-superfluous")
    if found != root:
        raise Refused("state-root")
    return claims


def check_history(root, did, batch, entries):
    key = bytes([HISTORY_KEY]) + did
    value = check_state(root, [key], batch)[tagged(b"state-key", [key])]
    count, head = 0, bytes(32)
    if value is not None:
        if len(value) != 40:
            raise Refused("history-value")
        count, head = int.from_bytes(value[:8], "little"), value[8:]
    computed = bytes(32)
    for expected, (entry, encoded) in enumerate(entries, 1):
        if entry["number"] != expected:
            raise Refused("history-number")
        computed = tagged(b"history", [computed, encoded])
    if len(entries) != count:
        raise Refused("history-count")
    if computed != head:
        raise Refused("history-head")
    return count, head


# --- Proof files: docs/spec/proofs.md, "Proof files" --------------------------------------------------------------------

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def did_text(did):
    value, text = int.from_bytes(did, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = ALPHABET[digit] + text
    return "did:amulet:" + "1" * (len(did) - len(did.lstrip(b"\x00"))) + text


def check_statement(statement, headers):
    kind = statement[0]
    height = statement[2] if kind == 3 else statement[1]
    if height not in headers:
        raise Refused("no-header")
    head = headers[height]
    if kind == 0:
        return height, f"header {height} {head['hash'].hex()}"
    if kind == 1:
        found = check_state(head["state_root"], [encoded for _, encoded in statement[2]], statement[3])
        said = [f"{place.hex()}={'absent' if value is None else sm3(value).hex()}" for place, value in sorted(found.items())]
        return height, f"state {height} {' '.join(said)}"
    if kind == 2:
        items = [encoded for _, encoded in statement[2]]
        check_list(head["receipts_root"], items, statement[3])
        return height, f"receipts {height} {' '.join(sm3(item).hex() for item in items)}"
    count, last = check_history(head["state_root"], statement[1], statement[3], statement[4])
    return height, f"history {height} {did_text(statement[1])} {count} {last.hex()}"


def opened(data, magic, kind, chain):
    """The content of a file, of the reader's chain."""
    if data[:8] != magic or len(data) < 10:
        raise Refused("magic")
    if int.from_bytes(data[8:10], "little") != 1:
        raise Refused("version")
    content = decode(data[10:], kind, 8 * 1024 * 1024 - 10)
    if content["chain"] != chain:
        raise Refused("chain")
    if len(content["epochs"]) > 1000:
        raise Refused("epochs")
    return content


def follow(epochs, chain, validators):
    """The set of each epoch from the genesis on, and the first height of the last."""
    sets, first = [validators], 0
    for end in epochs:
        check_certificate(end["header"], chain, sets[-1], "epoch-")
        last = end["header"]["header"]
        if last["height"] < first:
            raise Refused("epoch-first")
        if last["next_validators_hash"] == sets[-1]["hash"]:
            raise Refused("epoch-goes-on")
        if end["next"]["hash"] != last["next_validators_hash"]:
            raise Refused("epoch-set")
        sets.append(end["next"])
        first = last["height"] + 1
    return sets, first


def verify(data, genesis):
    """What a proof file proves; raises Refused."""
    chain, validators = genesis_of(genesis)
    proof = opened(data, b"AMULETPF", PROOF, chain)
    if not 1 <= len(proof["statements"]) <= 64:
        raise Refused("statements")
    sets, first = follow(proof["epochs"], chain, validators)
    validators = sets[-1]
    check_certificate(proof["anchor"], chain, validators, "anchor-")
    anchor = proof["anchor"]["header"]
    if anchor["height"] < first:
        raise Refused("anchor-epoch")
    check_range(anchor, proof["older"], proof["range"])
    headers = {head["height"]: head for head in [*proof["older"], anchor]}
    checked = [check_statement(statement, headers) for statement in proof["statements"]]
    used = {height for height, _ in checked} | {anchor["height"]}
    if set(headers) != used:
        raise Refused("unused-header")
    return {"anchor": anchor["hash"].hex(), "facts": [fact for _, fact in checked]}


# --- Fork files: docs/spec/proofs.md, "Fork files" ----------------------------------------------------------------------


def check_excludes(lower, upper, chain):
    if lower["chain"] != chain or upper["chain"] != chain:
        raise Refused("fork-chain")
    if lower["height"] == upper["height"] and lower["hash"] != upper["hash"]:
        return
    follows = upper["previous"] == lower["hash"] and upper["time"] > lower["time"]
    if upper["height"] != lower["height"] + 1 or follows:
        raise Refused("fork-compatible")


def verify_fork(data, genesis):
    """Which two headers a fork file proves to exclude each other, and who signed both; raises Refused."""
    chain, validators = genesis_of(genesis)
    fork = opened(data, b"AMULETFK", FORK, chain)
    sides = [fork["lower"], fork["upper"]]
    votes = [side["vote"][0] for side in sides]
    if len(fork["epochs"]) != max(vote["view"] >> 32 for vote in votes):
        raise Refused("fork-epochs")
    check_excludes(*(side["header"] for side in sides), chain)
    sets, _ = follow(fork["epochs"], chain, validators)
    of_votes = [sets[vote["view"] >> 32] for vote in votes]
    for side, members in zip(sides, of_votes):
        try:
            check_certificate(side, chain, members, "")
        except Refused:
            raise Refused("fork-certificate") from None
    signers = [{entry["signer"] for entry in side["signatures"]} for side in sides]

    def organisations(places, members):
        return {did_text(members["members"][place]["organisation"]) for place in places}

    lower, upper = (organisations(*pair) for pair in zip(signers, of_votes))
    at_once = all(votes[0][part] == votes[1][part] for part in ("height", "view"))
    convicted = organisations(signers[0] & signers[1], of_votes[0]) if at_once else set()
    hashes = [side["header"]["hash"].hex() for side in sides]
    return {"sides": hashes, "signed_both": sorted(lower & upper), "convicted": sorted(convicted)}


def verdict(file, genesis):
    check = verify_fork if file.suffix == ".amuletfork" else verify
    try:
        return check(file.read_bytes(), genesis)
    except Refused as refusal:
        return {"breaks": str(refusal)}


def main(arguments):
    assert sm3(b"abc") == sm3_by_hand(b"abc"), "the two SM3 differ"
    if arguments[:1] == ["--all"]:
        folder = pathlib.Path(arguments[1])
        genesis = (folder / "genesis.bin").read_bytes()
        files = sorted([*folder.glob("*.amuletproof"), *folder.glob("*.amuletfork")])
        json.dump({file.name: verdict(file, genesis) for file in files}, sys.stdout)
        return 0
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    genesis, file = map(pathlib.Path, arguments)
    found = verdict(file, genesis.read_bytes())
    print(json.dumps(found, indent=2))
    return 1 if "breaks" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
