import FlowRuns
import Manifests

@testable import Planner

/// A slow reference implementation of the planner's rules, with sets of windows and seconds instead of one ordered
/// pass.
struct NaivePlan {
    struct Request: Hashable {
        let kind: PlannedAction.Kind
        let window: Window
        let rerun: String?
        let attempt: Int
    }

    private(set) var requests: Set<Request> = []
    private(set) var held: [Window] = []
    private(set) var recordedCount = 0
    private(set) var undeclared: Set<RecordedRun> = []
    private(set) var overlapsRecorded = 0
    private(set) var overlapsDeclared = 0
    private(set) var declaredTwice = 0
    private(set) var rerunsOfNothing = 0

    private let flow: SampleFlow
    private let desired: [Window]
    private let taken: [RecordedRun]

    init(_ flow: SampleFlow) {
        self.flow = flow
        let all = Self.desired(of: flow)
        desired = Set(all).sorted()
        declaredTwice = all.count - desired.count
        taken = flow.runs.filter { !$0.state.isVoid && $0.window != nil }
        planNewWindows()
        planRecordedWindows()
        let recorded = Set(taken.compactMap(\.window))
        let created = requests.filter { $0.kind == .create }.map(\.window)
        for rerun in flow.reruns {
            guard rerun.isRange else {
                plan(rerun)
                continue
            }
            let touched = recorded.union(created).filter(rerun.touches)
            for window in touched { plan(rerun.applied(to: window), isKnown: true) }
            guard touched.isEmpty else { continue }
            if flow.record.contactedAt == nil { held.append(rerun.window) } else { rerunsOfNothing += 1 }
        }
        listUndeclared()
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

    private func attempts(_ window: Window, _ rerun: String?) -> [RecordedRun] {
        flow.runs.filter { $0.window == window && $0.identity.rerun == rerun }
    }

    private mutating func request(_ kind: PlannedAction.Kind, _ window: Window, _ rerun: String? = nil) {
        let attempt = (attempts(window, rerun).map(\.identity.attempt).max() ?? 0) + 1
        requests.insert(Request(kind: kind, window: window, rerun: rerun, attempt: attempt))
    }

    private mutating func planNewWindows() {
        let isNew = { [taken] (window: Window) in !taken.contains { $0.window == window } }
        var covered = Set(taken.flatMap { $0.window!.range })
        for window in desired where isNew(window) {
            guard !isCovered(window) else {
                recordedCount += 1
                continue
            }
            let overlapsRecorded = taken.contains { $0.window!.overlaps(window) }
            let overlapsDeclared = desired.contains {
                $0 < window && isNew($0) && !isCovered($0) && $0.overlaps(window)
            }
            switch flow.overlap {
            case .allow: request(.create, window)
            case .error:
                self.overlapsRecorded += overlapsRecorded ? 1 : 0
                self.overlapsDeclared += overlapsDeclared ? 1 : 0
                if !overlapsRecorded, !overlapsDeclared { request(.create, window) }
            case .trim:
                let rest = window.range.filter { !covered.contains($0) }
                if rest.isEmpty { recordedCount += 1 }
                for start in rest where !rest.contains(start - 1) {
                    let end = (start...).first { !rest.contains($0) }!
                    request(.create, Window(start..<end))
                }
                covered.formUnion(window.range)
            }
        }
    }

    /// Returns whether a run of a longer window covers a window that has no run of its own.
    private func isCovered(_ window: Window) -> Bool {
        let isOfSeries = flow.series.flatMap(Self.windows).contains(window) && !flow.windows.contains(window.range)
        return flow.overlap != .allow && isOfSeries && !taken.contains { $0.window == window }
            && taken.contains { $0.window!.contains(window) }
    }

    /// Returns whether a run of this window covers a declared window.
    private func covers(_ window: Window) -> Bool {
        desired.contains { $0 != window && window.contains($0) && isCovered($0) }
    }

    private mutating func planRecordedWindows() {
        for window in Set(taken.compactMap(\.window)) {
            let isDesired = desired.contains(window)
            let isPiece = flow.overlap == .trim && desired.contains { $0.contains(window) }
            guard isDesired || isPiece || covers(window) else { continue }
            let isIngested = taken.contains { $0.window == window && self.isIngested($0) }
            judge(window, nil, isIngested: isIngested, counts: isDesired)
        }
    }

    private mutating func plan(_ rerun: Rerun, isKnown: Bool = false) {
        let own = attempts(rerun.window, rerun.id).filter { !$0.state.isVoid }
        let isAskedFor =
            flow.overlap == .trim
            ? requests.contains { $0.kind == .create && $0.window == rerun.window }
            : desired.contains(rerun.window) && !isCovered(rerun.window)
        let isKnown = isKnown || isAskedFor || taken.contains { $0.window == rerun.window }
        if !own.isEmpty {
            let isIngested = own.contains(where: self.isIngested)
            judge(rerun.window, rerun.id, isIngested: isIngested, counts: true)
        } else if isKnown {
            request(.rerun, rerun.window, rerun.id)
        } else if flow.record.contactedAt == nil {
            held.append(rerun.window)
        } else {
            rerunsOfNothing += 1
        }
    }

    private mutating func judge(_ window: Window, _ rerun: String?, isIngested: Bool, counts: Bool) {
        let attempts = attempts(window, rerun)
        let failed = attempts.filter { $0.state == .failed || isRetried($0) }
        if attempts.contains(where: \.state.isDoubtful) {
            held.append(window)
        } else if !isIngested, let last = failed.max(by: { $0.identity.attempt < $1.identity.attempt }),
            failed.count <= flow.retryFailed, isRetried(last)
        {
            request(.retry(of: last.id!, asNewRun: last.state == .partial), window, rerun)
        } else if counts {
            recordedCount += 1
        }
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

    private mutating func listUndeclared() {
        let acknowledged = flow.acknowledged.map(\.run)
        for run in flow.runs where !run.state.isVoid {
            let reruns = flow.reruns.filter { rerun in run.window.map(rerun.touches) ?? false }
            let isDeclared =
                if let window = run.window {
                    if let id = run.identity.rerun {
                        reruns.contains { $0.id == id }
                    } else {
                        !reruns.isEmpty || desired.contains(window) || covers(window)
                            || flow.overlap == .trim && desired.contains { $0.contains(window) }
                    }
                } else {
                    acknowledged.contains(run.id!)
                }
            if !isDeclared { undeclared.insert(run) }
        }
    }
}
