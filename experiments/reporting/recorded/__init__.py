"""Which figures each kind of run records: functions from results to drawings."""
