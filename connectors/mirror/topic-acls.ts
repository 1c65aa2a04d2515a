import type { KafkaTopicAcl } from '@millrace/sdk'
import { policyOf } from './common-config.ts'
import type { SourceConfig } from './source-config.ts'
import { topicSelection } from './topics.ts'

/**
 * The rules that the remote topics get: who may read the source may read the copy. Nobody gets the right to write there,
 * which is the mirror's alone.
 */
export function remoteAcls(config: SourceConfig, acls: readonly KafkaTopicAcl[]): readonly KafkaTopicAcl[] {
  const isMirrored = topicSelection(config)
  const policy = policyOf(config)
  return acls
    .filter(({ patternType }) => patternType === 'LITERAL')
    .filter(({ permission, operation }) => !(permission === 'ALLOW' && operation === 'WRITE'))
    .filter(({ topic }) => isMirrored(topic))
    .map((acl) => ({
      ...acl,
      topic: policy.remoteTopic(config['source.cluster.alias'], acl.topic),
      operation: acl.permission === 'ALLOW' && acl.operation === 'ALL' ? 'READ' : acl.operation,
    }))
}
