import FlowRuns
import Manifests

@testable import Planner

/// A slow reference implementation of the planner's rules, with sets of windows and seconds instead of one ordered
/// pass:
///
/// - A run covers its window unless it was void or failed. A request in doubt may cover its window.
/// - A declared window without a covering run, but with an attempt left, is open. The overlap policy decides what of the
///   open windows is requested, and each request is a retry if a run of exactly that window failed.
/// - A window whose attempts are used up counts as failed. So does one whose retry the service refused, if a rerun is
///   declared that takes the retry's place.
struct NaivePlan {
    struct Request: Hashable {
        let kind: PlannedAction.Kind
        let window: Window
        let rerun: String?
        let attempt: Int
    }

    private enum Verdict {
        case missing
        case retry(of: RecordedRun)
        case recorded
        case failed
        case doubtful
    }

    private(set) var requests: Set<Request> = []
    private(set) var held: [Window] = []
    private(set) var recordedCount = 0
    private(set) var failedCount = 0
    private(set) var undeclared: Set<RecordedRun> = []
    private(set) var overlapsRecorded = 0
    private(set) var overlapsDeclared = 0
    private(set) var declaredTwice = 0
    private(set) var rerunsOfNothing = 0
    private(set) var ingestedTwice = 0

    private let flow: SampleFlow
    private let desired: [Window]
    /// The windows that were run, including those whose runs failed.
    private let wasRun: Set<Window>
    private let covering: [RecordedRun]
    /// The declared windows that a run of another, longer window covers.
    private var coveredByLonger: Set<Window> = []
    /// The windows that were requested before and failed, and whose time is not covered yet.
    private var renewed: Set<Window> = []
    /// Those of them with no attempt left.
    private var exhausted: Set<Window> = []

    init(_ flow: SampleFlow) {
        self.flow = flow
        let all = Self.desired(of: flow)
        let windows = Set(all).sorted()
        desired = windows
        declaredTwice = all.count - windows.count
        wasRun = Set(flow.runs.filter { !$0.state.isVoid }.compactMap(\.window))
        covering = flow.runs.filter { !$0.state.isVoid && $0.state != .failed && $0.window != nil }
        var open: [Window] = []
        for window in windows where judge(window) { open.append(window) }
        request(open: open)
        judgeUndeclared()
        for rerun in flow.reruns { rerun.isRange ? plan(range: rerun) : plan(rerun) }
        listUndeclared()
        countIngestedTwice()
        if isHeld {
            held += requests.map(\.window)
            requests = []
        }
    }

    /// Returns all declared windows with duplicates, in declaration order.
    static func desired(of flow: SampleFlow) -> [Window] {
        flow.windows.map { Window($0) } + flow.series.flatMap(windows)
    }

    private static func windows(of series: Series) -> [Window] {
        guard case .fixed(let step) = series.every, case .time(let until) = series.until else { return [] }
        var windows: [Window] = []
        var start = series.from
        while start + step <= until {
            windows.append(Window(start: start, end: start + step)!)
            start += step
        }
        return windows
    }

    private var isHeld: Bool {
        let acknowledged = flow.acknowledged.map(\.run)
        return flow.runs.contains {
            $0.state.isDoubtful || $0.window == nil && !acknowledged.contains($0.id!)
        }
    }

    // MARK: Attempts

    private func attempts(_ window: Window, _ rerun: String?) -> [RecordedRun] {
        flow.runs.filter { $0.window == window && $0.identity.rerun == rerun }
    }

    /// Judges the attempts at a window's own run, or at one of its reruns.
    private func verdict(_ window: Window, _ rerun: String?) -> Verdict {
        let attempts = attempts(window, rerun)
        if attempts.contains(where: \.state.isDoubtful) { return .doubtful }
        if attempts.contains(where: isIngested) { return .recorded }
        let ended = attempts.filter(\.state.hasEnded)
        guard let last = ended.max(by: { $0.identity.attempt < $1.identity.attempt }) else { return .missing }
        let rerunOnService = attempts.filter {
            $0.state == .rejected && $0.failure?.hasPrefix(RunAnswerReason.knownRun) ?? false
        }
        let newest = attempts.max { $0.identity.attempt < $1.identity.attempt }
        let isRefused = newest.map { $0.state == .rejected && !rerunOnService.contains($0) } ?? false
        let isSuperseded = isRefused && hasRerun(of: window, declaredAfter: rerun)
        if ended.count + rerunOnService.count <= flow.retryFailed, isRetried(last), !isSuperseded {
            return .retry(of: last)
        }
        return ended.allSatisfy { $0.state == .failed } ? .failed : .recorded
    }

    private func hasRerun(of window: Window, declaredAfter rerun: String?) -> Bool {
        let declared = flow.reruns.filter { $0.touches(window) }.sorted { $0.place < $1.place }.map(\.id)
        guard let rerun else { return !declared.isEmpty }
        return declared.contains(rerun) && declared.last != rerun
    }

    private func isRetried(_ run: RecordedRun) -> Bool {
        switch run.state {
        case .failed: flow.retriedStates.contains(.failed)
        case .partial: flow.retriedStates.contains(.partial)
        case .succeeded: run.records == 0 && flow.retriedStates.contains(.empty)
        default: false
        }
    }

    private func isIngested(_ run: RecordedRun) -> Bool {
        [.accepted, .succeeded, .partial].contains(run.state) && !isRetried(run)
    }

    private mutating func request(_ kind: PlannedAction.Kind, _ window: Window, _ rerun: String? = nil) {
        let attempt = (attempts(window, rerun).map(\.identity.attempt).max() ?? 0) + 1
        requests.insert(Request(kind: kind, window: window, rerun: rerun, attempt: attempt))
    }

    private mutating func retry(_ run: RecordedRun, _ rerun: String? = nil) {
        request(.retry(of: run.id!, asNewRun: run.state == .partial), run.window!, rerun)
    }

    // MARK: Windows

    private func isOfSeries(_ window: Window) -> Bool {
        flow.series.flatMap(Self.windows).contains(window) && !flow.windows.contains(window.range)
    }

    private func isCovered(_ window: Window) -> Bool { covering.contains { $0.window == window } }

    /// Returns whether a run of another window covers all of this one.
    private func isInLonger(_ window: Window) -> Bool {
        flow.overlap != .allow && covering.contains { $0.window != window && $0.window!.contains(window) }
    }

    /// Returns whether a declared window is open, and counts it otherwise.
    private mutating func judge(_ window: Window) -> Bool {
        var verdict = verdict(window, nil)
        let reruns = covering.filter { $0.window == window && $0.identity.rerun != nil }
        switch verdict {
        case .missing where !reruns.isEmpty: verdict = .recorded
        case .retry where reruns.contains(where: isIngested), .failed where reruns.contains(where: isIngested):
            verdict = .recorded
        default: break
        }
        let isInOther = (isOfSeries(window) || flow.overlap == .trim) && isInLonger(window)
        switch verdict {
        case .doubtful: held.append(window)
        case .recorded: recordedCount += 1
        case .missing where isOfSeries(window) && isInOther, .retry where isInOther, .failed where isInOther:
            recordedCount += 1
            coveredByLonger.insert(window)
        case .missing: return true
        case .retry where !isCovered(window): return true
        case .retry(let run): retry(run)
        case .failed:
            recordedCount += 1
            failedCount += 1
        }
        return false
    }

    /// Applies the overlap policy to the open windows.
    private mutating func request(open: [Window]) {
        let settled = Set(covering.filter { !$0.state.isDoubtful }.map { $0.window! })
        let doubts = covering.map { $0.window! }.filter { !settled.contains($0) }
        var covered = Set(settled.flatMap(\.range))
        for window in open {
            var pieces = [window]
            switch flow.overlap {
            case .allow: break
            case .error:
                let isRecorded = settled.contains(where: window.overlaps)
                let isDeclared = open.contains { $0 < window && $0.overlaps(window) }
                overlapsRecorded += isRecorded ? 1 : 0
                overlapsDeclared += isDeclared ? 1 : 0
                if isRecorded || isDeclared { continue }
            case .trim:
                let rest = window.range.filter { !covered.contains($0) }
                covered.formUnion(window.range)
                pieces = rest.filter { !rest.contains($0 - 1) }.map { start in
                    Window(start..<(start...).first { !rest.contains($0) }!)
                }
                if pieces.isEmpty {
                    recordedCount += 1
                    continue
                }
            }
            if flow.overlap != .allow, pieces.contains(where: { doubts.contains(where: $0.overlaps) }) {
                held.append(window)
            } else {
                request(pieces)
            }
        }
    }

    private mutating func request(_ pieces: [Window]) {
        var isRequested = false
        for piece in pieces {
            switch verdict(piece, nil) {
            case .missing: request(.create, piece)
            case .retry(let run):
                retry(run)
                renewed.insert(piece)
            case .failed:
                renewed.insert(piece)
                exhausted.insert(piece)
                continue
            case .recorded, .doubtful: continue
            }
            isRequested = true
        }
        guard !isRequested else { return }
        recordedCount += 1
        failedCount += 1
    }

    /// Returns whether the window's run counts for declared windows: as a piece of one, or as a batch of several.
    private func isClaimed(_ window: Window) -> Bool {
        isCovered(window)
            && (flow.overlap == .trim && desired.contains { $0.contains(window) }
                || coveredByLonger.contains { $0 != window && window.contains($0) })
    }

    private mutating func judgeUndeclared() {
        for window in Set(covering.map { $0.window! }) where !desired.contains(window) && isClaimed(window) {
            switch verdict(window, nil) {
            case .doubtful: held.append(window)
            case .retry(let run):
                let isRerun = covering.contains {
                    $0.window == window && $0.identity.rerun != nil && isIngested($0)
                }
                if !isRerun, !isInLonger(window) { retry(run) }
            case .failed where !isInLonger(window):
                let isRerun = covering.contains {
                    $0.window == window && $0.identity.rerun != nil && isIngested($0)
                }
                failedCount += isRerun ? 0 : 1
            case .missing, .recorded, .failed: break
            }
        }
    }

    // MARK: Reruns

    private mutating func plan(range: Rerun) {
        let created = requests.filter { $0.kind == .create }.map(\.window)
        let touched = wasRun.union(created).filter(range.touches)
        for window in touched {
            let wasRunAgain = attempts(window, range.id).contains { !$0.state.isVoid }
            // A failed run of an undeclared window covers nothing that could be run again, unless the window would be
            // requested.
            let isDeclared = desired.contains(window) && !coveredByLonger.contains(window)
            let isRequested = created.contains(window) || exhausted.contains(window)
            guard wasRunAgain || isCovered(window) || isRequested || isDeclared else { continue }
            plan(range.applied(to: window), isKnown: true)
        }
        guard touched.isEmpty else { return }
        if flow.record.contactedAt == nil { held.append(range.window) } else { rerunsOfNothing += 1 }
    }

    private mutating func plan(_ rerun: Rerun, isKnown: Bool = false) {
        let isAskedFor =
            flow.overlap == .trim
            ? requests.contains { $0.kind == .create && $0.window == rerun.window }
            : desired.contains(rerun.window) && !coveredByLonger.contains(rerun.window)
        switch verdict(rerun.window, rerun.id) {
        case .doubtful: held.append(rerun.window)
        case .recorded: recordedCount += 1
        case .retry(let run): retry(run, rerun.id)
        case .failed:
            recordedCount += 1
            failedCount += 1
        case .missing where isKnown || isAskedFor || wasRun.contains(rerun.window):
            request(.rerun, rerun.window, rerun.id)
        case .missing where flow.record.contactedAt == nil: held.append(rerun.window)
        case .missing: rerunsOfNothing += 1
        }
    }

    // MARK: Reports

    private mutating func listUndeclared() {
        let acknowledged = flow.acknowledged.map(\.run)
        for run in flow.runs where !run.state.isVoid {
            let reruns = flow.reruns.filter { rerun in run.window.map(rerun.touches) ?? false }
            let isDeclared =
                if let window = run.window {
                    if let id = run.identity.rerun {
                        reruns.contains { $0.id == id }
                    } else {
                        !reruns.isEmpty || desired.contains(window) || isClaimed(window) || renewed.contains(window)
                    }
                } else {
                    acknowledged.contains(run.id!)
                }
            if !isDeclared { undeclared.insert(run) }
        }
    }

    private mutating func countIngestedTwice() {
        guard flow.overlap != .allow else { return }
        let windows = Set(covering.filter { !$0.state.isDoubtful }.map { $0.window! })
        ingestedTwice = windows.count { window in windows.contains { $0 < window && $0.overlaps(window) } }
    }
}
