import FlowRuns

/// Where a moment stands on the time axis that all lanes share.
struct CoverageScale {
    struct Tick: Hashable {
        /// 0 to 1.
        let position: Double
        let label: String
    }

    let start: UnixSeconds
    let end: UnixSeconds

    /// A window that ends this long after now would squeeze all others into nothing: the axis ends before it.
    private static let farAhead = secondsPerYear
    private static let day: Int64 = 86_400

    /// `nil` when there is nothing to show.
    init?(_ flows: [FlowCoverage], asOf: UnixSeconds) {
        let stretches = flows.lazy.flatMap(\.stretches)
        guard let earliest = stretches.map(\.start).min() else { return nil }
        let limit = asOf.addingReportingOverflow(Self.farAhead).partialValue
        let latest = stretches.map(\.end).filter { $0 <= limit }.max() ?? asOf
        // Windows of long ago would be a speck at the left of an axis that goes on to now.
        let isLongAgo = Double(asOf) - Double(latest) > 4 * (Double(latest) - Double(earliest))
        let last = isLongAgo ? latest : max(latest, asOf)
        start = min(earliest, last - 1)
        end = last
    }

    /// 0 to 1; what lies outside the axis is at its end.
    func position(_ time: UnixSeconds) -> Double {
        let span = Double(end) - Double(start)
        return min(1, max(0, (Double(time) - Double(start)) / span))
    }

    /// At most a dozen round moments of UTC.
    var ticks: [Tick] {
        let most: Int64 = 10
        let span = end.subtractingReportingOverflow(start).partialValue
        let clock: [Int64] = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, Self.day, 2 * Self.day, 7 * Self.day]
        if let step = clock.first(where: { span / $0 <= most }) {
            let first = (start / step + (start % step > 0 ? 1 : 0)) * step
            return stride(from: first, through: end, by: Int64.Stride(step)).map { time in
                let moment = UTCTime(time)
                return tick(
                    time, step < Self.day ? "\(moment.date.dropFirst(5)) \(moment.time.prefix(5))" : moment.date)
            }
        }
        let months: [Int] = [1, 3, 6, 12, 24, 60, 120, 600, 1200, 12_000]
        let step = months.first { span / (Int64($0) * 30 * Self.day) <= most } ?? 12_000
        let (from, through) = (UTCTime(start), UTCTime(end))
        return stride(from: from.year * 12 / step * step, through: through.year * 12 + 11, by: step).compactMap {
            month in
            guard let time = UTCTime.seconds(year: month / 12, month: month % 12 + 1, day: 1),
                start <= time, time <= end
            else { return nil }
            return tick(time, step % 12 == 0 ? "\(month / 12)" : String(UTCTime(time).date.prefix(7)))
        }
    }

    private func tick(_ time: UnixSeconds, _ label: String) -> Tick { Tick(position: position(time), label: label) }
}
