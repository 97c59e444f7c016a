import FlowRuns
import Manifests

/// One walk over a flow's windows in order: those that the manifest declares, its reruns, and the recorded runs, side
/// by side. At each window it decides what is to be done.
struct FlowPass {
    private let declaration: FlowDeclaration
    private let record: FlowRecord
    private var desired: Lookahead<DesiredWindows>
    private var reruns: Lookahead<IndexingIterator<[Rerun]>>
    private var recorded: Lookahead<AnyIterator<RecordedRun>>
    private var history = WindowHistory()
    private var overlap: any OverlapPolicy
    /// Of the declared windows so far, the one that ends last.
    private var lastEnding: DesiredWindow?
    private var found: FlowFindings

    init(_ declaration: FlowDeclaration, record: FlowRecord, runs: AnyIterator<RecordedRun>, asOf: Timestamp) {
        self.declaration = declaration
        self.record = record
        found = FlowFindings(declaration)
        var walkable: [Series] = []
        for series in declaration.series {
            if let fault = series.fault(dueAt: asOf) {
                found.diagnostics.add(fault.code) { fault }
            } else {
                walkable.append(series)
            }
        }
        desired = Lookahead(DesiredWindows(declaration, walkable, asOf: asOf))
        let sorted = declaration.reruns.sorted {
            $0.window == $1.window ? ($0.id, $0.place) < ($1.id, $1.place) : $0.window < $1.window
        }
        reruns = Lookahead(sorted.makeIterator())
        recorded = Lookahead(runs)
        overlap = declaration.overlap.makePolicy()
    }

    mutating func run() -> FlowPlan {
        while let window = nextWindow() {
            takeRuns(of: window)
            let declared = takeDeclared(window)
            let container = declared ?? container(of: window)
            if let container { decide(window, of: container, isDeclared: declared != nil) }
            let rerunIDs = takeReruns(of: window, isDeclared: declared != nil)
            for run in history.runs where !run.state.isVoid {
                let isDeclared = run.identity.rerun.map(rerunIDs.contains) ?? (container != nil || !rerunIDs.isEmpty)
                if !isDeclared { found.undeclared.append(run) }
            }
        }
        overlap.finish(into: &found)
        return found.plan(of: declaration, record: record)
    }

    private mutating func nextWindow() -> Window? {
        while let run = recorded.head, run.window == nil {
            found.addRunOfUnknownWindow(run)
            _ = recorded.next()
        }
        return earlier(recorded.head?.window, earlier(desired.head?.window, reruns.head?.window))
    }

    private mutating func takeRuns(of window: Window) {
        history.clear()
        while recorded.head?.window == window, let run = recorded.next() {
            found.note(run)
            history.add(run)
        }
        if let run = history.covering {
            overlap.record(window, by: run, into: &found)
        } else if !history.runs.isEmpty {
            found.attempts[window] = history.ordinary
        }
    }

    private mutating func takeDeclared(_ window: Window) -> DesiredWindow? {
        guard desired.head?.window == window, let first = desired.next() else { return nil }
        while desired.head?.window == window, let again = desired.next() {
            found.diagnostics.add(.windowDeclaredTwice) { .declaredTwice(again, first: first) }
        }
        if window.end > lastEnding?.window.end ?? .min { lastEnding = first }
        return first
    }

    /// The declared window, if any, that a recorded one may be a trimmed piece of.
    private func container(of window: Window) -> DesiredWindow? {
        guard declaration.overlap == .trim, history.covering != nil else { return nil }
        return [lastEnding, desired.head].lazy.compactMap(\.self).first { $0.window.contains(window) }
    }

    private mutating func decide(_ window: Window, of desired: DesiredWindow, isDeclared: Bool) {
        switch history.verdict(retryFailed: declaration.retryFailed) {
        case .missing:
            let piece = DesiredWindow(window: window, place: desired.place, timeZone: desired.timeZone)
            overlap.declare(piece, into: &found)
        case .retry(let run, let failed, let ordinal):
            found.retry(run, failed, ordinal, attempts: history.ordinary, of: desired)
        case .doubtful(let run): found.hold(run, of: desired)
        // A piece's whole is counted already.
        case .recorded: if isDeclared { found.recordedCount += 1 }
        case .failed:
            if isDeclared { found.recordedCount += 1 }
            found.failedCount += 1
        }
    }

    /// A rerun needs a first run of exactly its window: a recorded one, or one that this very plan asks for. What trim
    /// leaves of a declared window shows only at the end.
    ///
    /// - Returns: the ids of the reruns that the manifest declares for the window.
    private mutating func takeReruns(of window: Window, isDeclared: Bool) -> Set<String> {
        var places: [String: Place] = [:]
        while reruns.head?.window == window, let rerun = reruns.next() {
            if let first = places.updateValue(rerun.place, forKey: rerun.id) {
                found.diagnostics.add(.rerunDeclaredTwice) { .declaredTwice(rerun, first: first) }
                continue
            }
            let attempts = history.reruns[rerun.id] ?? Attempts()
            let desired = DesiredWindow(window: window, place: rerun.place)
            switch attempts.verdict(retryFailed: declaration.retryFailed) {
            case .missing where history.covering != nil || isDeclared && declaration.overlap != .trim:
                found.rerun(rerun, attempts: attempts)
            case .missing: found.rerunIfCreated(rerun, attempts: attempts)
            case .retry(let run, let failed, let ordinal):
                found.retry(run, failed, ordinal, attempts: attempts, of: desired)
            case .doubtful(let run): found.hold(run, of: desired)
            case .recorded: found.recordedCount += 1
            case .failed:
                found.recordedCount += 1
                found.failedCount += 1
            }
        }
        return Set(places.keys)
    }
}

private func earlier(_ left: Window?, _ right: Window?) -> Window? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
}
