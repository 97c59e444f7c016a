import FlowRuns
import Text

extension Series {
    /// The maximum number of windows in a series. Quarter hours since 1970 stay below this limit.
    package static let maxWindows = 5_000_000

    /// Returns the windows that are due: those that end by `asOf - lag` and by a fixed `until`. The windows are
    /// adjacent and the first begins at `from`; consecutive windows of equal length form one progression.
    package func windows(dueAt asOf: Timestamp) -> [WindowProgression] {
        windows(endingBy: lastEnd(dueAt: asOf), LocalClock(timeZone))
    }

    /// The first due window that two clocks of the time zone cut differently, as each of them cuts it; `nil` where they
    /// agree. A window that a clock does not cut is `nil`.
    func disagreement(of clock: LocalClock, _ other: LocalClock, dueAt asOf: Timestamp) -> (Window?, Window?)? {
        let limit = lastEnd(dueAt: asOf)
        guard limit > from, !clock.agrees(with: other, from: from - .seconds(86_400), to: limit + .seconds(86_400))
        else {
            return nil
        }
        let civil = anchor ?? clock.civil(at: from)
        let otherSeries = Series(
            every: every, from: other.civil(at: from) == civil ? from : other.moment(of: civil), until: until,
            timeZone: timeZone, lag: lag, anchor: civil, place: place)
        let progressions = windows(endingBy: limit, clock)
        let otherProgressions = otherSeries.windows(endingBy: limit, other)
        let common = zip(progressions, otherProgressions).prefix { $0 == $1 }.count
        var windows = progressions.dropFirst(common).lazy.joined().makeIterator()
        var otherWindows = otherProgressions.dropFirst(common).lazy.joined().makeIterator()
        while true {
            let pair = (windows.next(), otherWindows.next())
            if pair.0 != pair.1 { return pair }
            if pair.0 == nil { return nil }
        }
    }

    /// Returns the error for a series with more than ``maxWindows`` windows by `asOf`, or `nil`. Check before walking
    /// the windows of a series whose `until` is `now`.
    package func excess(dueAt asOf: Timestamp) -> Diagnostic? {
        let count = windows(dueAt: asOf).reduce(0) { $0 + $1.count }
        guard count > Self.maxWindows else { return nil }
        return Diagnostic(
            .seriesTooLong, at: place,
            "the series has \(count.grouped) windows; the limit is \(Self.maxWindows.grouped)",
            suggestion: "choose a longer 'every' or a later 'from'")
    }

    func lastEnd(dueAt asOf: Timestamp) -> Timestamp {
        let latest = asOf - lag
        switch until {
        case .now: return min(latest, TimeText.end)
        case .time(let time): return min(latest, time, TimeText.end)
        }
    }

    private func windows(endingBy limit: Timestamp, _ clock: LocalClock?) -> [WindowProgression] {
        guard limit > from, from > TimeText.earliest else { return [] }
        switch every {
        case .fixed(let length):
            guard length > .zero, limit - from >= length else { return [] }
            let count = (limit - from).milliseconds / length.milliseconds
            return [WindowProgression(start: from, length: length, count: Int(count))]
        case .days(let days):
            guard (1...4_000_000).contains(days) else { return [] }
            return windows(endingBy: limit, clock) { anchor, index in anchor + .seconds(days * index * 86_400) }
        case .months(let months):
            guard (1...120_000).contains(months) else { return [] }
            return windows(endingBy: limit, clock) { anchor, index in civil(anchor, addingMonths: months * index) }
        }
    }

    /// - Parameter civil: the local time of the boundary with this index, counted from the anchor rather than the
    ///   previous boundary, to avoid drift.
    private func windows(
        endingBy limit: Timestamp, _ clock: LocalClock?,
        boundary civil: (_ anchor: Timestamp, _ index: Int) -> Timestamp
    ) -> [WindowProgression] {
        guard let local = clock else { return [] }
        let anchor = anchor ?? local.civil(at: from)
        var progressions: [WindowProgression] = []
        var last = from
        var index = 1
        while true {
            let boundary = local.moment(of: civil(anchor, index))
            index += 1
            if boundary > limit { return progressions }
            // A move of the date line skips a whole local day, which would be an empty window.
            guard boundary > last else { continue }
            progressions.fold(WindowProgression(start: last, length: boundary - last, count: 1)) { $0.absorb($1) }
            last = boundary
        }
    }
}

/// Returns the same day and time in a later month, or on that month's last day if the month is shorter.
func civil(_ anchor: Timestamp, addingMonths months: Int) -> Timestamp {
    let time = UTCTime(anchor)
    let month = time.year * 12 + time.month - 1 + months
    let day = min(time.day, UTCTime.daysInMonth(month % 12 + 1, of: month / 12))
    let midnight = Timestamp(year: month / 12, month: month % 12 + 1, day: day)
    // Beyond the year 9999, which is later than any time that a manifest can contain.
    return (midnight ?? TimeText.end + .seconds(TimeText.end.seconds)) + .seconds(time.secondOfDay)
}
