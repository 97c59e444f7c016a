/// The highest acceptable multiples of the floors: those of the page *Performance* with room for a shared machine.
///
/// Operations that mostly start programs or wait for a disk have no limit: their ratio differs between machines.
let ratioLimits: [String: Double] = [
    "YAML nodes": 2, "manifest, windows": 2.6, "plan, windows, all new": 3, "plan, windows, all recorded": 1.7,
    "plan, series, all new": 0.5, "plan, series, all recorded": 1.8, "ledger, runs, SQLite": 1,
    "ledger, runs, PostgreSQL": 1.7, "ledger, export": 3, "ledger, import": 4.4, "apply, loopback": 8, "refresh": 15,
]
