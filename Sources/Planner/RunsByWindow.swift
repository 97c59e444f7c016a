import FlowRuns

/// The recorded runs by window, those of unknown window first. A run whose window the manifest tells comes with that
/// window, whatever the ledger knows of it yet.
struct RunsByWindow: IteratorProtocol {
    private var recorded: Lookahead<AnyIterator<RecordedRun>>
    private var told: ArraySlice<RecordedRun> = []

    init(_ runs: AnyIterator<RecordedRun>, windows: [RunID: Window]) {
        recorded = Lookahead(runs)
        guard !windows.isEmpty else { return }
        var unknown: [RecordedRun] = []
        var known: [RecordedRun] = []
        while let run = recorded.head, run.window == nil {
            _ = recorded.next()
            if let window = run.id.flatMap({ windows[$0] }) {
                // Attempts of that window are numbered by the ledger when it takes the run over.
                known.append(
                    run.identified(as: RunIdentity(flow: run.flow, window: window, attempt: run.identity.attempt)))
            } else {
                unknown.append(run)
            }
        }
        told = (unknown + known.sorted(by: Self.isEarlier))[...]
    }

    private static func isEarlier(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
        guard let window = left.window, let other = right.window, window != other else {
            return left.recordedAt < right.recordedAt
        }
        return window < other
    }

    mutating func next() -> RecordedRun? {
        guard let first = told.first else { return recorded.next() }
        if let window = first.window, let other = recorded.head?.window, other <= window { return recorded.next() }
        return told.popFirst()
    }
}
