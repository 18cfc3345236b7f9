"""The benchmark: studies, runner, results store, report and the command line."""
