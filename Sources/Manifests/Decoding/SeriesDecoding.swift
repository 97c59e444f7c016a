import FlowRuns
import YAML

extension ManifestDecoder {
    /// Decodes `{every: P1D, from: 2024-01-01, until: now, timeZone: Europe/Berlin, lag: PT2H}`.
    mutating func series(_ node: YAMLNode) -> Series? {
        let subject = "a series"
        guard
            let fields = fields(
                of: node, subject, required: ["every", "from", "until"], optional: ["timeZone", "lag"])
        else { return nil }
        let every = step(fields["every"])
        let lag = lag(fields["lag"])
        // Local times cannot be decoded without their zone.
        guard let (zone, local) = timeZone(fields["timeZone"]) else { return nil }
        let from = time(fields["from"], in: local)
        let until = until(fields["until"], in: local)
        guard let every, let lag, let from, let until else { return nil }
        let series = Series(
            every: every, from: from.moment, until: until, timeZone: zone, lag: lag, anchor: from.civil,
            place: place(of: node))
        return check(series, fields) ? series : nil
    }

    private mutating func timeZone(_ field: Field?) -> (String, LocalClock)? {
        guard let field else { return LocalClock("UTC").map { ("UTC", $0) } }
        guard let name = text(field) else { return nil }
        if let local = LocalClock(name) {
            if let fault = local.fault, zonesWithFaults.insert(name).inserted {
                add(
                    .zoneFileUnusable, .warning, at: field.value,
                    "\(fault): using the rules built into sluice (\(ZoneDatabase.builtInVersion))",
                    suggestion: "reinstall tzdata, or set TZDIR to a folder with zone files")
            }
            return (name, local)
        }
        let suggestion = LocalClock.nearestName(to: name).map { "did you mean '\($0)'?" }
        add(
            .unknownTimeZone, at: field.value, "unknown time zone \(quoted(name))",
            suggestion: suggestion ?? "write an IANA name, such as Europe/Berlin, or UTC")
        return nil
    }

    private mutating func until(_ field: Field?, in local: LocalClock) -> Series.Until? {
        if let field, field.value.hasText("now") { return .now }
        return time(field, in: local).map { .time($0.moment) }
    }

    private mutating func lag(_ field: Field?) -> Duration? {
        guard let field else { return .zero }
        guard let lag = fixedDuration(field) else { return nil }
        guard lag <= .hundredYears, lag.isWholeSeconds else {
            add(
                .numberOutOfRange, at: field.value,
                "'lag' must be whole seconds and at most 100 years, not \(quoted(field.value.text))")
            return nil
        }
        return lag
    }

    /// Checks a series as far as possible without the current time.
    private mutating func check(_ series: Series, _ fields: MappingFields) -> Bool {
        guard case .time(let until) = series.until, let untilField = fields["until"] else { return true }
        guard series.from < until else {
            add(
                .windowReversed, at: untilField.value,
                "the series ends at \(until), which is not after its start at \(series.from)",
                suggestion: series.from == until
                    ? "write an 'until' after 'from'"
                    : "write from: \(untilField.value.text), until: \(fields["from"]?.value.text ?? "")")
            return false
        }
        if let excess = series.excess(dueAt: .max) {
            add(excess)
            return false
        }
        let end = series.windows(dueAt: .max).last?.end
        if end != until {
            add(
                .seriesRemainder, .warning, at: untilField.value,
                end.map { "the last full window of the series ends at \($0), before 'until'" }
                    ?? "'until' is before the end of the first window: the series has no windows",
                suggestion: "only full windows are requested; set 'until' to the end of a window")
        }
        return true
    }
}
