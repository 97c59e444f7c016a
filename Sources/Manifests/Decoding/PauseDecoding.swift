import Text
import YAML

extension ManifestDecoder {
    /// Decodes `paused: {reason: …, until: …}` of a flow or of a whole manifest.
    mutating func pause(_ field: Field?) -> Pause? {
        guard let field else { return nil }
        if field.value.kind == .scalar {
            add(
                .wrongType, at: field.value, "'paused' must be a mapping, not \(described(field.value))",
                suggestion: field.value.schemaType == .string
                    ? "write paused: {reason: \"\(printable(field.value.text))\"}"
                    : "write paused: {reason: …, until: …}, or remove 'paused'")
            return nil
        }
        guard let fields = fields(of: field.value, "'paused'", required: ["reason"], optional: ["until"]) else {
            return nil
        }
        let reason = text(fields["reason"])
        let until = time(fields["until"])
        guard let reason, fields["until"] == nil || until != nil else { return nil }
        return Pause(reason: reason, until: until, place: place(of: field.value))
    }
}
