import type { Provenance } from '../../connect/index.ts'
import { UsageError } from '../usage-error.ts'
import { NpmError, npmError, runNpm } from './npm.ts'
import { fetchJson, type Published, type Registries } from './registry-signatures.ts'

/** An attestation as a registry hands it out. */
interface Attestation {
  readonly predicateType?: string
  readonly bundle?: { readonly dsseEnvelope?: { readonly payload?: string } }
}

/** What a provenance attestation claims. */
export interface Claim {
  /** The package that it is about, as a package URL. */
  readonly subject: string
  readonly sha512: string
  readonly repository: string
  readonly commit: string
}

const PROVENANCE = /^https:\/\/slsa\.dev\/provenance\//

/** The answer of `npm audit signatures --json --include-attestations`, what of it is used. */
interface AuditSignatures {
  readonly invalid?: readonly { readonly name: string; readonly version: string; readonly message?: string }[]
  readonly verified?: readonly {
    readonly name: string
    readonly version: string
    readonly attestationBundles?: readonly Attestation[]
  }[]
}

/**
 * Where an installed package was built, by the registry's attestations. npm checks them against the public keys of
 * sigstore; where it cannot, the claim is told as what it is.
 */
export async function provenanceOf(
  root: string,
  registries: Registries,
  name: string,
  version: string,
  published: Published | null,
): Promise<Provenance> {
  if (published === null) return { state: 'unverified', detail: 'the registry cannot be reached' }
  if (published.attestationsUrl === null) return { state: 'none', detail: 'the registry offers none' }
  const attestations = await attestationsOf(registries, name, published.attestationsUrl)
  if (attestations instanceof NpmError) return { state: 'unverified', detail: attestations.message }
  const claim = provenanceClaim(attestations)
  if (claim === undefined) return { state: 'none', detail: 'the registry attests the publication, not the build' }
  checkClaim(name, version, published.integrity, claim)
  const text = `${claim.repository} at ${claim.commit}`
  const flags = ['--include-attestations', '--fetch-retries=0', '--json']
  const result = await runNpm(root, ['audit', 'signatures', ...flags])
  const verdict = verdictOf(name, version, result.stdout)
  if (verdict === 'verified') return { state: 'verified', detail: text }
  if (verdict === null) return { state: 'unverified', detail: `${text}, not checked: ${npmError(result).message}` }
  throw new UsageError(`${name}@${version}: the attestation of its build is not valid: ${verdict.invalid}`)
}

/** The attestations of a package, or why there are none to read. */
async function attestationsOf(
  registries: Registries,
  name: string,
  url: string,
): Promise<readonly Attestation[] | NpmError> {
  try {
    // As npm does: from the registry that is configured, whatever host the address names.
    const address = new URL(new URL(url).pathname, await registries.urlFor(name))
    const answer = (await fetchJson(address.href)) as { attestations?: readonly Attestation[] } | null
    return answer?.attestations ?? []
  } catch (error) {
    if (error instanceof NpmError) return error
    throw error
  }
}

/** What npm found about one package; null when it did not get that far. */
export function verdictOf(
  name: string,
  version: string,
  stdout: string,
): 'verified' | { readonly invalid: string } | null {
  let audit: AuditSignatures
  try {
    audit = JSON.parse(stdout) as AuditSignatures
  } catch {
    return null
  }
  const isIt = (one: { readonly name: string; readonly version: string }) =>
    one.name === name && one.version === version
  const invalid = audit.invalid?.find(isIt)
  if (invalid) return { invalid: invalid.message ?? 'npm gives no reason' }
  const verified = audit.verified?.find(isIt)
  return verified && provenanceClaim(verified.attestationBundles ?? []) ? 'verified' : null
}

/** Reads the attestation of the build among the attestations of a package. */
export function provenanceClaim(attestations: readonly Attestation[]): Claim | undefined {
  const found = attestations.find(({ predicateType = '' }) => PROVENANCE.test(predicateType))
  const payload = found?.bundle?.dsseEnvelope?.payload
  if (payload === undefined) return undefined
  try {
    const statement = JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as {
      subject?: { name?: string; digest?: { sha512?: string } }[]
      predicate?: {
        buildDefinition?: {
          externalParameters?: { workflow?: { repository?: string } }
          resolvedDependencies?: { digest?: { gitCommit?: string } }[]
        }
      }
    }
    const build = statement.predicate?.buildDefinition
    return {
      subject: statement.subject?.[0]?.name ?? '',
      sha512: statement.subject?.[0]?.digest?.sha512 ?? '',
      repository: build?.externalParameters?.workflow?.repository ?? 'a repository that it does not name',
      commit: build?.resolvedDependencies?.[0]?.digest?.gitCommit ?? 'an unnamed commit',
    }
  } catch {
    return undefined
  }
}

/** An attestation of another package, or of other content, is worse than none. */
function checkClaim(name: string, version: string, integrity: string, { subject, sha512 }: Claim): void {
  const digest = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')
  const url = `pkg:npm/${name.replace('@', '%40')}@${version}`
  if (subject === url && sha512 === digest) return
  throw new UsageError(
    `${name}@${version}: the attestation of its build is about ${subject || 'nothing'} with other content; do not use it`,
  )
}
