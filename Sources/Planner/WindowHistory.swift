import FlowRuns

/// The recorded runs of one window: its ordinary ones, and those of each of its reruns.
struct WindowHistory {
    private(set) var runs: [RecordedRun] = []
    private(set) var ordinary = Attempts()
    private(set) var reruns: [String: Attempts] = [:]

    mutating func add(_ run: RecordedRun) {
        runs.append(run)
        if let rerun = run.identity.rerun {
            reruns[rerun, default: Attempts()].add(run)
        } else {
            ordinary.add(run)
        }
    }

    mutating func clear() {
        runs.removeAll(keepingCapacity: true)
        ordinary = Attempts()
        if !reruns.isEmpty { reruns.removeAll() }
    }

    /// A run that the service took, or may have taken: the window is covered by it.
    var covering: RecordedRun? { runs.first { !$0.state.isVoid } }

    /// What the window's ordinary run needs. A rerun that was taken covers the window too.
    func verdict(retryFailed: Int) -> Attempts.Verdict {
        let verdict = ordinary.verdict(retryFailed: retryFailed)
        return switch verdict {
        case .missing where covering != nil: .recorded
        case .retry where reruns.values.contains(where: \.isTaken): .recorded
        case .failed where reruns.values.contains(where: \.isTaken): .recorded
        default: verdict
        }
    }
}

/// The attempts at one run: of a window, or of one rerun of it.
struct Attempts {
    /// What is to be done about the run.
    enum Verdict {
        /// It was never taken: ask for it.
        case missing
        /// Its latest run failed, and one more retry is allowed.
        case retry(of: RunID, failed: RecordedRun, ordinal: Int)
        case recorded
        /// Its latest run failed, and no retry is left.
        case failed
        case doubtful(RecordedRun)
    }

    private var latest: RecordedRun?
    private var latestFailed: RecordedRun?
    private var failures = 0
    private var doubt: RecordedRun?
    /// Whether one of them is running or ended well.
    private(set) var isTaken = false

    mutating func add(_ run: RecordedRun) {
        if run.identity.attempt > latest?.identity.attempt ?? 0 { latest = run }
        switch run.state {
        case .accepted, .succeeded, .partial: isTaken = true
        case .intended, .inDoubt: doubt = run
        case .failed:
            failures += 1
            if run.identity.attempt > latestFailed?.identity.attempt ?? 0 { latestFailed = run }
        case .rejected, .released: break
        }
    }

    /// The number of the attempt that comes next, counted from 1.
    var next: Int { (latest?.identity.attempt ?? 0) + 1 }

    /// What the service said, when it refused the latest attempt.
    var refusal: String? { latest?.state == .rejected ? latest?.failure ?? "no reason given" : nil }

    /// Whether the latest attempt was sent and turned out absent from the service.
    var isLost: Bool { latest?.state == .released }

    /// - Parameter retryFailed: how often a failed run may be retried.
    func verdict(retryFailed: Int) -> Verdict {
        if let doubt { return .doubtful(doubt) }
        if isTaken { return .recorded }
        guard let latestFailed else { return .missing }
        guard failures <= retryFailed, let run = latestFailed.id else { return .failed }
        return .retry(of: run, failed: latestFailed, ordinal: failures)
    }
}
