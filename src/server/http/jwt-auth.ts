import { createPublicKey, type KeyObject } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import { RowcastError } from '../../errors/index.ts'
import type { User } from '../access.ts'
import type { Credentials } from '../create-server.ts'

/** How tokens are checked: exactly one of `secret`, `publicKey` and `jwksUrl`. */
export interface JwtAuthOptions {
  /** Of HS256, HS384 and HS512; at least 32 bytes. */
  readonly secret?: string | undefined
  /** Of RS, PS, ES and EdDSA algorithms, in PEM. */
  readonly publicKey?: string | undefined
  /** Where the public keys of an identity provider lie. They are fetched when needed, and kept. */
  readonly jwksUrl?: string | URL | undefined
  readonly audience?: string | undefined
  readonly issuer?: string | undefined
  /** Whether a token must say when it ends (`exp`); `true` if not given. One that does not is good for ever. */
  readonly requireExp?: boolean | undefined
}

const SYMMETRIC = ['HS256', 'HS384', 'HS512']
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

type Verify = (token: string, options: JWTVerifyOptions) => Promise<{ readonly payload: JWTPayload }>

/**
 * The option `authenticate` of `createServer`, for JSON Web Tokens: the user's id is the token's `sub`, which it must have,
 * its other claims are members of the user (`name`, `admin`, `$user.team`). A token that is no good is refused for good;
 * a key set that can't be had is not the token's fault (`authenticate` says what follows). Throws RowcastError (`options`).
 */
export function jwtAuth(options: JwtAuthOptions): (credentials: Credentials) => Promise<User | undefined> {
  const { audience, issuer, requireExp = true } = options
  const { verify, algorithms } = verifierOf(options)
  const checks: JWTVerifyOptions = {
    algorithms,
    requiredClaims: requireExp ? ['sub', 'exp'] : ['sub'],
    clockTolerance: 5,
    ...(audience !== undefined && { audience }),
    ...(issuer !== undefined && { issuer }),
  }
  return async ({ token }) => {
    if (token === undefined) return undefined
    const { payload } = await verify(token, checks)
    const { sub, name, id: _id, ...claims } = payload
    if (typeof sub !== 'string' || sub === '') return undefined
    return { ...claims, id: sub, ...(typeof name === 'string' && { name }) }
  }
}

function verifierOf({ secret, publicKey, jwksUrl }: JwtAuthOptions): { verify: Verify; algorithms: string[] } {
  if ([secret, publicKey, jwksUrl].filter((one) => one !== undefined).length !== 1)
    throw new RowcastError('options', 'jwtAuth expects exactly one of secret, publicKey and jwksUrl')
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret)
    if (key.length < 32)
      throw new RowcastError('options', `jwtAuth: the secret has ${key.length} bytes: give at least 32 random ones`)
    return { verify: withKey(key), algorithms: SYMMETRIC }
  }
  if (publicKey !== undefined) {
    const key = readKey(publicKey)
    return { verify: withKey(key), algorithms: ASYMMETRIC }
  }
  if (!URL.canParse(String(jwksUrl)))
    throw new RowcastError('options', `jwtAuth: '${String(jwksUrl)}' is no URL: give the address of the key set`)
  const keys = createRemoteJWKSet(new URL(String(jwksUrl)))
  return { verify: (token, checks) => jwtVerify(token, keys, checks), algorithms: ASYMMETRIC }
}

/** With a key at hand whatever fails is the token's fault. */
function withKey(key: Uint8Array | KeyObject): Verify {
  return async (token, checks) => {
    try {
      return await jwtVerify(token, key, checks)
    } catch (cause) {
      throw new RowcastError('unauthenticated', 'the token is not accepted', { cause })
    }
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new RowcastError('options', 'jwtAuth: publicKey is no public key in PEM', { cause })
  }
}
