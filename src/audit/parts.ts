// The names of a bundle's parts (docs/audit.md).

export const PART = {
  job: 'job',
  roster: 'roster',
  successors: 'roster-successors',
  checkpoint: 'checkpoint',
  entries: 'log/entries',
  evidence: (k: number) => `evidence/${String(k)}`,
  evidenceInput: (k: number) => `inputs/${String(k)}`,
  beside: (sha256Hex: string) => `beside/${sha256Hex}`,
  forwardModel: (job: string) => `jobs/${job}/forward-model`,
  finalModel: (job: string) => `jobs/${job}/final-model`,
  transcript: (job: string, round: number) => `jobs/${job}/rounds/${String(round)}/transcript`,
  sum: (job: string, round: number) => `jobs/${job}/rounds/${String(round)}/sum`,
  opened: (job: string, round: number) => `jobs/${job}/rounds/${String(round)}/opened`,
  input: (job: string, round: number, index: number) => `jobs/${job}/rounds/${String(round)}/inputs/${String(index)}`,
  reactions: (job: string, round: number) => `jobs/${job}/rounds/${String(round)}/reactions`,
} as const;
