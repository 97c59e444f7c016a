import YAML

extension ManifestDecoder {
    /// Decodes `retryFailed: 2`, or `{times: 2, states: [failed, partial, empty]}`.
    mutating func retries(_ field: Field?) -> Retries {
        guard let field else { return Retries() }
        guard field.value.kind == .mapping else { return Retries(integer(field, in: Self.times) ?? 0) }
        guard
            let fields = fields(
                of: field.value, "'retryFailed'", required: ["times", "states"])
        else { return Retries() }
        let times = integer(fields["times"], in: Self.times) ?? 0
        let states = list(fields["states"]).map(Array.init)?.compactMap {
            choice(Field(key: "states", value: $0), of: Retries.State.self)
        }
        if let states, states.isEmpty, let list = fields["states"], list.value.count == 0 {
            add(
                .missingKey, at: list.value, "'states' of 'retryFailed' names nothing",
                suggestion: "write at least one of failed, partial and empty, or remove 'retryFailed'")
        }
        return Retries(times, of: Set(states ?? []))
    }

    private static let times = 0...100

    /// Decodes `expect: {minimumRecords: 1}`.
    mutating func expectation(_ field: Field?) -> Expectation? {
        guard let field, let fields = fields(of: field.value, "'expect'", required: ["minimumRecords"]) else {
            return nil
        }
        return integer(fields["minimumRecords"], in: 1...1_000_000_000_000).map {
            Expectation(minimumRecords: Int64($0))
        }
    }
}
