import FlowRuns
import YAML

extension ManifestDecoder {
    /// Decodes a time that identifies an instant: Unix seconds, or RFC 3339 with an offset.
    mutating func time(_ field: Field?) -> Timestamp? {
        guard let field, let time = timeText(field) else { return nil }
        switch time {
        case .instant(let time): return time
        case .local(let civil):
            add(
                .timeWithoutOffset, at: field.value, "the time \(quoted(field.value.text)) has no offset from UTC",
                suggestion: "for UTC write \(civil)")
            return nil
        }
    }

    /// Decodes a time of a series, where a date or time without an offset is in the series' own time zone.
    mutating func time(_ field: Field?, in local: LocalClock) -> (moment: Timestamp, civil: Timestamp?)? {
        guard let field, let time = timeText(field) else { return nil }
        switch time {
        case .instant(let time): return (time, nil)
        case .local(let civil): return (local.moment(of: civil), civil)
        }
    }

    private mutating func timeText(_ field: Field) -> TimeText? {
        let node = field.value
        guard node.kind == .scalar, ![.bool, .null].contains(node.schemaType) else {
            add(.wrongType, at: node, "'\(field.key)' must be a time, not \(described(node))")
            return nil
        }
        do throws(TimeTextError) {
            if let number = node.int64 { return .instant(try TimeText.seconds(number)) }
            return try TimeText.read(node.text)
        } catch {
            add(error.code, at: node, error.message, suggestion: error.suggestion)
            return nil
        }
    }

    /// Decodes a duration of fixed length.
    mutating func fixedDuration(_ field: Field?) -> Duration? {
        guard let field, let duration = duration(field) else { return nil }
        guard let length = duration.fixed else {
            add(
                .badDuration, at: field.value, "'\(field.key)' must not have months or years: their length varies",
                suggestion: "use weeks, days, hours, minutes or seconds")
            return nil
        }
        return length
    }

    /// Decodes the `every` of a series, or the `batch` of a flow.
    mutating func step(_ field: Field?) -> Series.Step? {
        guard let field, let duration = duration(field) else { return nil }
        let isShort = duration.months <= 1200 && duration.days <= 36_600 && duration.clock <= .hundredYears
        guard isShort, let step = duration.step else {
            add(
                .badDuration, at: field.value, "invalid value \(quoted(field.value.text)) for '\(field.key)'",
                suggestion: "use one unit, from one second to 100 years, such as PT15M, PT1H, P1D, P1W or P1M")
            return nil
        }
        return step
    }

    private mutating func duration(_ field: Field) -> DurationText? {
        let text = field.value.text
        if field.value.kind == .scalar, let duration = DurationText(text) { return duration }
        let hint =
            field.value.int64.map { "for seconds write PT\($0)S" }
            ?? (text.uppercased() != text && DurationText(text.uppercased()) != nil
                ? "write \(text.uppercased())" : "write an ISO 8601 duration, such as PT30S, PT2H or P1D")
        add(
            .badDuration, at: field.value, "'\(field.key)' must be a duration, not \(described(field.value))",
            suggestion: hint)
        return nil
    }
}
