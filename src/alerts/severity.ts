/**
 * How bad an alert is. Pure; used on every thread.
 */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'
