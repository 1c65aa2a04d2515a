// What npm and registries say, read without either.
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { auditExitCode, readAdvisories } from '../../../../src/cli/plugin/audit-plugins.ts'
import { isOffline, npmError } from '../../../../src/cli/plugin/npm.ts'
import { sourceOf } from '../../../../src/cli/plugin/package-source.ts'
import { provenanceClaim, verdictOf } from '../../../../src/cli/plugin/provenance.ts'
import { checkSignature, type RegistryKey } from '../../../../src/cli/plugin/registry-signatures.ts'
import { rootName } from '../../../../src/cli/plugin/root-folder.ts'

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = (more: Partial<RegistryKey> = {}): RegistryKey => ({
  keyid: 'one',
  key: keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  expires: null,
  ...more,
})
const sig = sign('sha256', Buffer.from('x@1.0.0:sha512-a'), keys.privateKey).toString('base64')
const published = {
  integrity: 'sha512-a',
  signatures: [{ keyid: 'one', sig }],
  attestationsUrl: null,
  publishedMs: Date.parse('2026-01-01'),
}

describe('the signature of a registry', () => {
  it.each([
    ['that is right', published, [key()], 'verified', ''],
    ['of a key that has expired since', published, [key({ expires: '2026-06-01T00:00:00Z' })], 'verified', ''],
    ['of a key that had expired', published, [key({ expires: '2025-06-01T00:00:00Z' })], 'invalid', 'had expired'],
    ['of other content', { ...published, integrity: 'sha512-b' }, [key()], 'invalid', 'tampered'],
    ['of an unknown key', published, [key({ keyid: 'two' })], 'invalid', 'none of the registry'],
    ['that is missing', { ...published, signatures: [] }, [key()], 'none', 'signs packages, but not x@1.0.0'],
    ['of a registry without keys', published, [], 'none', 'does not sign'],
  ] as const)('%s is %s', (_, what, known, state, detail) => {
    expect(checkSignature('x', '1.0.0', what, known)).toEqual({ state, detail: expect.stringContaining(detail) })
  })
})

const statement = {
  subject: [{ name: 'pkg:npm/x@1.0.0', digest: { sha512: 'ab' } }],
  predicate: {
    buildDefinition: {
      externalParameters: { workflow: { repository: 'https://github.com/acme/x' } },
      resolvedDependencies: [{ digest: { gitCommit: 'c0ffee' } }],
    },
  },
}
const attestation = (predicateType: string, value: unknown) => ({
  predicateType,
  bundle: { dsseEnvelope: { payload: Buffer.from(JSON.stringify(value)).toString('base64') } },
})
const build = attestation('https://slsa.dev/provenance/v1', statement)
const publication = attestation('https://github.com/npm/attestation/tree/main/specs/publish/v0.1', {})

describe('provenance', () => {
  it('is what the attestation of the build says, not that of the publication', () => {
    expect(provenanceClaim([publication, build])).toEqual({
      subject: 'pkg:npm/x@1.0.0',
      sha512: 'ab',
      repository: 'https://github.com/acme/x',
      commit: 'c0ffee',
    })
    expect(provenanceClaim([publication])).toBeUndefined()
    expect(provenanceClaim([])).toBeUndefined()
  })

  it('is verified, invalid or neither by what npm answers', () => {
    const verified = {
      invalid: [],
      missing: [],
      verified: [{ name: 'x', version: '1.0.0', attestationBundles: [build] }],
    }
    expect(verdictOf('x', '1.0.0', JSON.stringify(verified))).toBe('verified')
    expect(verdictOf('x', '2.0.0', JSON.stringify(verified))).toBeNull()
    const onlyPublished = { verified: [{ name: 'x', version: '1.0.0', attestationBundles: [publication] }] }
    expect(verdictOf('x', '1.0.0', JSON.stringify(onlyPublished))).toBeNull()
    const invalid = { invalid: [{ name: 'x', version: '1.0.0', message: 'a wrong certificate' }], verified: [] }
    expect(verdictOf('x', '1.0.0', JSON.stringify(invalid))).toEqual({ invalid: 'a wrong certificate' })
    expect(verdictOf('x', '1.0.0', 'npm error network')).toBeNull()
    expect(verdictOf('x', '1.0.0', '{"error":{"code":"ECONNREFUSED"}}')).toBeNull()
  })
})

test('an error of npm is told in its own words, and one of the network is known as such', () => {
  const json = JSON.stringify({ error: { code: 'ECONNREFUSED', summary: 'request to http://x failed', detail: '' } })
  const refused = npmError({ exitCode: 1, stdout: json, stderr: '' })
  expect([refused.message, isOffline(refused)]).toEqual(['npm: request to http://x failed', true])
  const lines = 'npm error code ERESOLVE\nnpm error could not resolve\nnpm error A complete log of this run\n'
  const unresolved = npmError({ exitCode: 1, stdout: '', stderr: lines })
  expect([unresolved.message, unresolved.code, isOffline(unresolved)]).toEqual([
    'npm: could not resolve',
    'ERESOLVE',
    false,
  ])
  expect(npmError({ exitCode: 7, stdout: '', stderr: '' }).message).toBe('npm: it ended with exit code 7')
})

test.each([
  ['acme', 'registry'],
  ['@acme/tide@^1.2', 'registry'],
  ['acme@next', 'registry'],
  ['github:acme/tide', 'remote'],
  ['acme/tide', 'remote'],
  ['https://example.org/tide-1.0.0.tgz', 'remote'],
  ['.', 'folder'],
])('%s is of the type %s', (spec, type) => {
  expect(sourceOf(spec).type).toBe(type)
})

test('the root of a package is named for its content, and never leads elsewhere', () => {
  const integrity = `sha512-${Buffer.from('0123456789abcdef', 'hex').toString('base64')}`
  expect(rootName('@acme/tide', '1.0.0+b', integrity)).toBe('acme+tide@1.0.0+b-01234567')
})

test('advisories come from the answer of npm audit, each once', () => {
  const advisory = { title: 'T', url: 'u', severity: 'high', source: 1 }
  const vulnerabilities = { a: { via: [advisory] }, b: { via: ['a'] } }
  expect(readAdvisories({ vulnerabilities })).toEqual([{ package: 'a', severity: 'high', title: 'T', url: 'u' }])
  expect(() => readAdvisories({ message: 'offline' })).toThrow('did not answer')
})

test('the exit code of an audit tells what is wrong from what could not be checked', () => {
  const fine = {
    name: 'x',
    version: '1',
    changes: [],
    signatures: [],
    verified: 1,
    advisories: [],
    provenance: { state: 'none', detail: '' } as const,
    unchecked: [],
  }
  expect(auditExitCode([fine], false)).toBe(0)
  expect(auditExitCode([{ ...fine, unchecked: ['advisories'] }], false)).toBe(2)
  expect(auditExitCode([{ ...fine, unchecked: ['advisories'] }], true)).toBe(0)
  expect(
    auditExitCode(
      [
        { ...fine, changes: ['x'] },
        { ...fine, unchecked: ['y'] },
      ],
      false,
    ),
  ).toBe(1)
  expect(auditExitCode([{ ...fine, signatures: ['x'] }], true)).toBe(1)
})
