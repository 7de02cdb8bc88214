"""No models of its own; the module makes Django tell this app when migrations are done (creditfujian.apps)."""
