// Answers operations with sm-crypto or sm-crypto-v2: see ../README.md.
import { readFileSync } from 'node:fs'

const name = process.argv[2]
const library = await import(name)
const { sm2, sm3 } = library.default ?? library
const v2 = name === 'sm-crypto-v2' ? library.default ?? library : null

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (array) => Buffer.from(array).toString('hex')
const C1C3C2 = 1

function answer(item) {
  switch (item.op) {
    case 'sm3':
      return { digest: sm3(bytes(item.message)) }
    case 'hmac_sm3':
      return { digest: sm3(bytes(item.message), { key: bytes(item.key) }) }
    case 'hkdf_sm3':
      if (!v2) break
      return { output: hex(v2.hkdf(bytes(item.ikm), bytes(item.salt), bytes(item.info), item.length)) }
    case 'sm2_sign':
      return {
        signature: sm2.doSignature(bytes(item.message), item.secret, {
          hash: true, der: false, userId: item.user_id, publicKey: item.public,
        }),
      }
    case 'sm2_verify':
      return sm2.doVerifySignature(bytes(item.message), item.signature, item.public, {
        hash: true, der: false, userId: item.user_id,
      })
        ? { valid: true }
        : { refused: true }
    case 'sm2_encrypt':
      return { ciphertext: '04' + sm2.doEncrypt(bytes(item.plaintext), item.public, C1C3C2) }
    case 'sm2_decrypt': {
      try {
        const plaintext = sm2.doDecrypt(item.ciphertext.slice(2), item.secret, C1C3C2, { output: 'array' })
        return plaintext.length > 0 ? { plaintext: hex(plaintext) } : { refused: true }
      } catch {
        return { refused: true }
      }
    }
    case 'sm4_gcm_seal': {
      if (!v2) break
      const sealed = v2.sm4.encrypt(bytes(item.plaintext), bytes(item.key), {
        mode: 'gcm', iv: bytes(item.nonce), associatedData: bytes(item.aad), output: 'array', outputTag: true,
      })
      return { sealed: hex(sealed.output) + hex(sealed.tag) }
    }
    case 'sm4_gcm_open': {
      if (!v2) break
      try {
        const plaintext = v2.sm4.decrypt(bytes(item.sealed.slice(0, -32)), bytes(item.key), {
          mode: 'gcm', iv: bytes(item.nonce), associatedData: bytes(item.aad), output: 'array',
          tag: bytes(item.sealed.slice(-32)),
        })
        return { plaintext: hex(plaintext) }
      } catch {
        return { refused: true }
      }
    }
  }
  return { unsupported: true }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(answer)))
