"""Answers operations with gmssl or cryptography: see ../README.md."""

import json
import sys


def gmssl(item):
    from gmssl import sm2, sm3

    def crypt(item):
        # The library strips leading zeros and fours of the key with its prefix, so the key is set afterwards.
        crypt = sm2.CryptSM2(item.get("secret", ""), "", mode=1)
        crypt.public_key = item.get("public", "")[2:]
        return crypt

    if item["op"] == "sm3":
        return {"digest": sm3.sm3_hash(list(bytes.fromhex(item["message"])))}
    if item["op"] in ("sm2_sign", "sm2_verify") and item["user_id"] != "1234567812345678":
        return {"unsupported": True}
    if item["op"] == "sm2_sign":
        return {"signature": crypt(item).sign_with_sm3(bytes.fromhex(item["message"]))}
    if item["op"] == "sm2_verify":
        valid = crypt(item).verify_with_sm3(item["signature"], bytes.fromhex(item["message"]))
        return {"valid": True} if valid else {"refused": True}
    if item["op"] == "sm2_encrypt":
        return {"ciphertext": "04" + crypt(item).encrypt(bytes.fromhex(item["plaintext"])).hex()}
    if item["op"] == "sm2_decrypt":
        # This library does not compare C3, so it never refuses; the caller compares the plaintext.
        return {"plaintext": crypt(item).decrypt(bytes.fromhex(item["ciphertext"][2:])).hex()}
    return {"unsupported": True}


def cryptography(item):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def given(name):
        return bytes.fromhex(item[name])

    if item["op"] == "sm3":
        digest = hashes.Hash(hashes.SM3())
        digest.update(given("message"))
        return {"digest": digest.finalize().hex()}
    if item["op"] == "hmac_sm3":
        mac = hmac.HMAC(given("key"), hashes.SM3())
        mac.update(given("message"))
        return {"digest": mac.finalize().hex()}
    if item["op"] == "hkdf_sm3":
        hkdf = HKDF(hashes.SM3(), item["length"], given("salt"), given("info"))
        return {"output": hkdf.derive(given("ikm")).hex()}
    if item["op"] == "argon2id":
        kdf = Argon2id(
            salt=given("salt"), length=32, iterations=item["passes"], lanes=item["lanes"], memory_cost=item["memory_kib"]
        )
        return {"output": kdf.derive(given("passphrase")).hex()}
    if item["op"] == "sm4_gcm_seal":
        seal = Cipher(algorithms.SM4(given("key")), modes.GCM(given("nonce"))).encryptor()
        seal.authenticate_additional_data(given("aad"))
        ciphertext = seal.update(given("plaintext")) + seal.finalize()
        return {"sealed": (ciphertext + seal.tag).hex()}
    if item["op"] == "sm4_gcm_open":
        sealed = given("sealed")
        opener = Cipher(algorithms.SM4(given("key")), modes.GCM(given("nonce"), sealed[-16:])).decryptor()
        opener.authenticate_additional_data(given("aad"))
        try:
            return {"plaintext": (opener.update(sealed[:-16]) + opener.finalize()).hex()}
        except InvalidTag:
            return {"refused": True}
    return {"unsupported": True}


def shamir_mnemonic(item):
    from shamir_mnemonic import combine_mnemonics, generate_mnemonics

    if item["op"] == "slip39_combine":
        return {"secret": combine_mnemonics(item["shares"]).hex()}
    if item["op"] == "slip39_split":
        groups = generate_mnemonics(1, [(item["threshold"], item["guardians"])], bytes.fromhex(item["secret"]))
        return {"shares": groups[0]}
    return {"unsupported": True}


answer = {"gmssl": gmssl, "cryptography": cryptography, "shamir-mnemonic": shamir_mnemonic}[sys.argv[1]]
json.dump([answer(item) for item in json.load(sys.stdin)], sys.stdout)
