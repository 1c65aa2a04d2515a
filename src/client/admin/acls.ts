import { apis } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { throwOnError } from '../errors.ts'
import type { AdminCallOptions } from './topics.ts'

/** A rule of access to a resource, with Kafka's names of types, operations and permissions. */
export interface AclBinding {
  readonly resourceType: string
  readonly resourceName: string
  readonly patternType: string
  readonly principal: string
  readonly host: string
  readonly operation: string
  readonly permission: string
}

/** Names at the place of their code in the protocol. */
const RESOURCE_TYPES = ['UNKNOWN', 'ANY', 'TOPIC', 'GROUP', 'CLUSTER', 'TRANSACTIONAL_ID', 'DELEGATION_TOKEN', 'USER']
const PATTERN_TYPES = ['UNKNOWN', 'ANY', 'MATCH', 'LITERAL', 'PREFIXED']
const PERMISSIONS = ['UNKNOWN', 'ANY', 'DENY', 'ALLOW']
const OPERATIONS = [
  'UNKNOWN',
  'ANY',
  'ALL',
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
  'CREATE_TOKENS',
  'DESCRIBE_TOKENS',
  'TWO_PHASE_COMMIT',
]
const ANY = 1

/** The part of the admin client about rules of access. */
export class AclAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** All rules about resources of a type; rejects with SECURITY_DISABLED where a cluster keeps none. */
  async describe(resourceType: string, options: AdminCallOptions = {}): Promise<AclBinding[]> {
    const request = {
      resourceTypeFilter: RESOURCE_TYPES.indexOf(resourceType),
      resourceNameFilter: null,
      patternTypeFilter: ANY,
      principalFilter: null,
      hostFilter: null,
      operation: ANY,
      permissionType: ANY,
    }
    const ask = async () => {
      const answer = await this.#cluster.request('any', apis.describeAcls, request)
      throwOnError(answer.errorCode, 'DescribeAcls', answer.errorMessage)
      return answer.resources
    }
    const resources = await this.#cluster.retrying('DescribeAcls', ask, options)
    return resources.flatMap(({ resourceType: type, resourceName, patternType, acls }) =>
      acls.map(({ principal, host, operation, permissionType }) => ({
        resourceType: nameOf(RESOURCE_TYPES, type),
        resourceName,
        patternType: nameOf(PATTERN_TYPES, patternType),
        principal,
        host,
        operation: nameOf(OPERATIONS, operation),
        permission: nameOf(PERMISSIONS, permissionType),
      })),
    )
  }

  /** Adds rules; one that is there already stays. Rejects with the first that the cluster refuses. */
  async create(bindings: readonly AclBinding[], options: AdminCallOptions = {}): Promise<void> {
    if (bindings.length === 0) return
    const creations = bindings.map(
      ({ resourceType, resourceName, patternType, principal, host, operation, permission }) => ({
        resourceType: RESOURCE_TYPES.indexOf(resourceType),
        resourceName,
        resourcePatternType: PATTERN_TYPES.indexOf(patternType),
        principal,
        host,
        operation: OPERATIONS.indexOf(operation),
        permissionType: PERMISSIONS.indexOf(permission),
      }),
    )
    await this.#cluster.retrying(
      'CreateAcls',
      async () => {
        const answer = await this.#cluster.request('any', apis.createAcls, { creations })
        for (const [index, { errorCode, errorMessage }] of answer.results.entries()) {
          throwOnError(errorCode, `The rule for ${bindings[index]?.resourceName}`, errorMessage)
        }
      },
      options,
    )
  }
}

/** What a later version may add is told as UNKNOWN. */
function nameOf(names: readonly string[], code: number): string {
  return names[code] ?? 'UNKNOWN'
}
