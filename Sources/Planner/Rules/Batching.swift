import FlowRuns
import Manifests

/// A step that joins requests for adjacent windows of one series into requests for one run each.
struct Batching {
    /// The limits of batches, by the position of their series.
    private var limits: [Place: BatchLimit] = [:]
    /// The approved batches that have not been passed yet, in order; `nil` if batches are cut by length.
    private var approved: ArraySlice<Window>?
    /// The ends of the batches that failed, by their start.
    private let failed: [Timestamp: Set<Timestamp>]

    /// - Parameters:
    ///   - demand: the demand whose windows are joined. The result is `nil` if each is requested separately.
    ///   - failed: windows whose runs failed, and that no other run covers.
    init?(_ demand: FlowDemand, failed: [Window]) {
        self.failed = Dictionary(grouping: failed, by: \.start).mapValues { Set($0.map(\.end)) }
        switch demand.batches {
        case .none: return nil
        case .upTo(let step):
            limits = Dictionary(demand.series.map { ($0.place, BatchLimit(step, of: $0)) }) { first, _ in first }
        case .exactly(let windows): approved = windows.sorted()[...]
        }
    }

    /// Returns the requests, with adjacent ones joined.
    ///
    /// - Parameters:
    ///   - actions: the requests, sorted by window.
    ///   - canJoin: whether a request may be joined with others.
    ///   - join: makes one request out of at least two adjacent ones.
    mutating func joined(
        _ actions: [PlannedAction], where canJoin: (PlannedAction) -> Bool,
        by join: (ArraySlice<PlannedAction>, Window) -> PlannedAction?
    ) -> [PlannedAction] {
        var joined: [PlannedAction] = []
        var index = 0
        while index < actions.count {
            let first = actions[index]
            var end = index + 1
            if canJoin(first), let limit = limit(of: first) {
                end = endOfAdjacent(from: index, in: actions, limit, where: canJoin)
                if limit.isApproved {
                    if actions[end - 1].window.end != limit.end { end = index + 1 }
                } else {
                    end = endSparingFailed(from: index, to: end, in: actions, where: canJoin)
                }
            }
            if end - index > 1, let window = Window(start: first.window.start, end: actions[end - 1].window.end) {
                if let one = join(actions[index..<end], window) { joined.append(one) }
            } else {
                joined.append(first)
            }
            index = end
        }
        return joined
    }

    /// Returns the end of the adjacent windows that one batch may contain.
    private func endOfAdjacent(
        from index: Int, in actions: [PlannedAction], _ limit: (end: Timestamp, isApproved: Bool),
        where canJoin: (PlannedAction) -> Bool
    ) -> Int {
        var end = index + 1
        while end < actions.count, canJoin(actions[end]),
            actions[end].place == actions[index].place || limit.isApproved,
            actions[end].window.start == actions[end - 1].window.end, actions[end].window.end <= limit.end
        {
            end += 1
        }
        return end
    }

    /// Returns the end of a batch that begins at `index`, and that keeps batches that failed as they were cut: each is
    /// retried, or counts as failed. Otherwise each new window of the series would be a reason to request it once more.
    private mutating func endSparingFailed(
        from index: Int, to end: Int, in actions: [PlannedAction], where canJoin: (PlannedAction) -> Bool
    ) -> Int {
        guard !failed.isEmpty else { return end }
        for start in index..<end {
            guard let ends = failed[actions[start].window.start], let limit = limit(of: actions[start]) else {
                continue
            }
            let reach = endOfAdjacent(from: start, in: actions, limit, where: canJoin)
            guard let last = actions[start..<reach].lastIndex(where: { ends.contains($0.window.end) }), last > start
            else { continue }
            return start == index ? last + 1 : start
        }
        return end
    }

    private mutating func limit(of first: PlannedAction) -> (end: Timestamp, isApproved: Bool)? {
        let start = first.window.start
        guard approved != nil else {
            guard first.isOfSeries, let limit = limits[first.place] else { return nil }
            return (limit.end(from: start), false)
        }
        while let window = approved?.first, window.start < start { approved?.removeFirst() }
        guard let window = approved?.first, window.start == start else { return nil }
        return (window.end, true)
    }
}

extension [WindowProgression] {
    /// Folds adjacent windows into progressions of equal length.
    init(folding windows: some Sequence<Window>) {
        self.init(
            folding: windows.lazy.map { WindowProgression(start: $0.start, length: $0.length, count: 1) },
            absorb: { $0.absorb($1) })
    }
}
