/**
 * What each metric tells, by group and name: its HELP line, and its line in the reference. The page of metrics cannot be
 * made while one is missing or too many.
 */
export const METRIC_HELP: Readonly<Record<string, string>> = {
  'connect-worker-metrics/connector-count': 'Connector instances on this worker.',
  'connect-worker-metrics/task-count': 'Tasks on this worker.',
  'connect-worker-metrics/connector-startup-attempts-total': 'Connectors that this worker has tried to start.',
  'connect-worker-metrics/connector-startup-success-total':
    'Connectors whose first state after a start was not FAILED.',
  'connect-worker-metrics/connector-startup-success-percentage':
    'Share of the starts of connectors that succeeded, 0 to 1.',
  'connect-worker-metrics/connector-startup-failure-total': 'Connectors whose first state after a start was FAILED.',
  'connect-worker-metrics/connector-startup-failure-percentage':
    'Share of the starts of connectors that failed, 0 to 1.',
  'connect-worker-metrics/task-startup-attempts-total': 'Tasks that this worker has tried to start.',
  'connect-worker-metrics/task-startup-success-total': 'Tasks whose first state after a start was not FAILED.',
  'connect-worker-metrics/task-startup-success-percentage': 'Share of the starts of tasks that succeeded, 0 to 1.',
  'connect-worker-metrics/task-startup-failure-total': 'Tasks whose first state after a start was FAILED.',
  'connect-worker-metrics/task-startup-failure-percentage': 'Share of the starts of tasks that failed, 0 to 1.',
  'connect-worker-metrics/connector-total-task-count': 'Tasks of the connector on this worker.',
  'connect-worker-metrics/connector-running-task-count': 'Tasks of the connector on this worker that are RUNNING.',
  'connect-worker-metrics/connector-paused-task-count': 'Tasks of the connector on this worker that are PAUSED.',
  'connect-worker-metrics/connector-failed-task-count':
    'Tasks of the connector on this worker that are FAILED. The one to be alarmed by.',
  'connect-worker-metrics/connector-unassigned-task-count':
    'Tasks of the connector on this worker that are UNASSIGNED.',
  'connect-worker-metrics/connector-destroyed-task-count': 'Tasks of the connector on this worker that are DESTROYED.',
  'connect-worker-metrics/connector-restarting-task-count':
    'Tasks of the connector on this worker that are RESTARTING.',
  'connector-metrics/status': 'Always 1; the label `status` is the state of the connector.',
  'connector-metrics/connector-class': 'Always 1; the label `class` is the class of the connector.',
  'connector-metrics/connector-type': 'Always 1; the label `type` is source or sink.',
  'connector-metrics/connector-version': 'Always 1; the label `version` is that of the connector.',
  'connector-task-metrics/connector-class': 'Always 1; the label `class` is the class of the connector.',
  'connector-task-metrics/connector-type': 'Always 1; the label `type` is source or sink.',
  'connector-task-metrics/connector-version': 'Always 1; the label `version` is that of the connector.',
  'connector-task-metrics/task-class': 'Always 1; the label `class` is the class of the task.',
  'connector-task-metrics/task-version': "Always 1; the label `version` is that of the task, which is the connector's.",
  'connector-task-metrics/key-converter-class': 'Always 1; the label `class` is the class of the key converter.',
  'connector-task-metrics/key-converter-version': 'Always 1; the label `version` is that of the key converter.',
  'connector-task-metrics/value-converter-class': 'Always 1; the label `class` is the class of the value converter.',
  'connector-task-metrics/value-converter-version': 'Always 1; the label `version` is that of the value converter.',
  'connector-task-metrics/header-converter-class': 'Always 1; the label `class` is the class of the header converter.',
  'connector-task-metrics/header-converter-version': 'Always 1; the label `version` is that of the header converter.',
  'connector-transform-metrics/transform-class':
    'Always 1; the label `class` is the class of the transformation that the label `transform` names.',
  'connector-transform-metrics/transform-version':
    'Always 1; the label `version` is that of the transformation that the label `transform` names.',
  'connector-predicate-metrics/predicate-class':
    'Always 1; the label `class` is the class of the predicate that the label `predicate` names.',
  'connector-predicate-metrics/predicate-version':
    'Always 1; the label `version` is that of the predicate that the label `predicate` names.',
  'connector-task-metrics/status':
    'Always 1; the label `status` is the state of the task. It stays when the task fails.',
  'connector-task-metrics/running-ratio': 'Share of its life that the task has been RUNNING.',
  'connector-task-metrics/pause-ratio': 'Share of its life that the task has been PAUSED.',
  'connector-task-metrics/offset-commit-max-time-ms': 'The longest commit of offsets.',
  'connector-task-metrics/offset-commit-avg-time-ms': 'The average commit of offsets.',
  'connector-task-metrics/offset-commit-success-percentage': 'Share of the commits that succeeded, 0 to 1.',
  'connector-task-metrics/offset-commit-failure-percentage': 'Share of the commits that failed, 0 to 1.',
  'connector-task-metrics/batch-size-max': 'The most records of one poll or put.',
  'connector-task-metrics/batch-size-avg': 'The average records of a poll or put.',
  'connect-worker-rebalance-metrics/connect-protocol': 'Always 1; the label `status` is the group protocol.',
  'connect-worker-rebalance-metrics/leader-name': 'Always 1; the label `status` is the URL of the leader.',
  'connect-worker-rebalance-metrics/epoch': 'The generation of the group.',
  'connect-worker-rebalance-metrics/completed-rebalances-total': 'Rebalances since this worker started.',
  'connect-worker-rebalance-metrics/rebalancing': '1 during a rebalance, otherwise 0.',
  'connect-worker-rebalance-metrics/rebalance-max-time-ms': 'The longest rebalance.',
  'connect-worker-rebalance-metrics/rebalance-avg-time-ms': 'The average rebalance.',
  'connect-worker-rebalance-metrics/time-since-last-rebalance-ms':
    'Time since the last rebalance; absent before the first.',
  'source-task-metrics/source-record-poll-total': 'Records that the connector has given.',
  'source-task-metrics/source-record-poll-rate': 'Records that the connector gives a second.',
  'source-task-metrics/source-record-write-total': 'Records that the log has acknowledged.',
  'source-task-metrics/source-record-write-rate': 'Records that the log acknowledges a second.',
  'source-task-metrics/poll-batch-max-time-ms': 'The longest poll.',
  'source-task-metrics/poll-batch-avg-time-ms': 'The average poll.',
  'source-task-metrics/source-record-active-count': 'Records polled and neither acknowledged nor dropped.',
  'source-task-metrics/source-record-active-count-max': 'The most records polled and neither acknowledged nor dropped.',
  'source-task-metrics/source-record-active-count-avg':
    'The average of the records polled and neither acknowledged nor dropped.',
  'sink-task-metrics/sink-record-read-total': 'Records read from the log.',
  'sink-task-metrics/sink-record-read-rate': 'Records read from the log a second.',
  'sink-task-metrics/sink-record-send-total': 'Records handed to the connector.',
  'sink-task-metrics/sink-record-send-rate': 'Records handed to the connector a second.',
  'sink-task-metrics/sink-record-lag-max':
    'How many records the task is behind, on the partition where it is furthest behind.',
  'sink-task-metrics/partition-count': 'Partitions that the task reads.',
  'sink-task-metrics/offset-commit-seq-no': 'Commits, failed ones included.',
  'sink-task-metrics/offset-commit-completion-total': 'Commits that succeeded.',
  'sink-task-metrics/offset-commit-completion-rate': 'Commits that succeed a second.',
  'sink-task-metrics/offset-commit-skip-total': 'Commits skipped since there was one already under way.',
  'sink-task-metrics/offset-commit-skip-rate': 'Commits that are skipped a second.',
  'sink-task-metrics/put-batch-max-time-ms': 'The longest put.',
  'sink-task-metrics/put-batch-avg-time-ms': 'The average put.',
  'sink-task-metrics/sink-record-active-count': 'Records read from the log that the connector has not taken yet.',
  'sink-task-metrics/sink-record-active-count-max': 'The most records read that the connector had not taken yet.',
  'sink-task-metrics/sink-record-active-count-avg':
    'The average of the records read that the connector had not taken yet.',
  'task-error-metrics/total-record-failures': 'Operations on records that failed, each try counted.',
  'task-error-metrics/total-record-errors': 'Records with an error that was not tolerated: the task failed.',
  'task-error-metrics/total-records-skipped': 'Records skipped because of an error.',
  'task-error-metrics/total-retries': 'Operations that were tried again.',
  'task-error-metrics/total-errors-logged': 'Errors written to the log of the worker.',
  'task-error-metrics/deadletterqueue-produce-requests': 'Records written to the dead letter queue.',
  'task-error-metrics/deadletterqueue-produce-failures': 'Records that could not be written to the dead letter queue.',
  'task-error-metrics/last-error-timestamp': 'When the last error was, in milliseconds since 1970; 0 for never.',
}
