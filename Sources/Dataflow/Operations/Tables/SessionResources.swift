/// What a session keeps beside Variables, by name and by handle: lookup tables.
final class SessionResources {
    private var tables: [String: LookupTable] = [:]
    private var names: [UInt64: String] = [:]
    private var handles: [String: UInt64] = [:]
    /// Beyond those of what lives for one run, so that one cannot be taken for the other.
    private var next: UInt64 = 1 << 48

    /// The table of this name, made when first asked for.
    /// - Throws: `GraphError` if it is there with other types.
    func table(_ name: String, _ make: () throws -> LookupTable) throws -> LookupTable {
        let made = try make()
        guard let known = tables[name] else {
            tables[name] = made
            return made
        }
        guard known.kind == made.kind, known.keyType == made.keyType, known.valueType == made.valueType,
            known.valueShape == made.valueShape
        else {
            throw GraphError(
                "a table of this name is there already, from \(known.description), where one from \(made.description) is "
                    + "asked for")
        }
        return known
    }

    /// The handle of a table.
    func handle(_ name: String) -> Tensor {
        let id = handles[name] ?? next
        if id == next { next += 1 }
        (handles[name], names[id]) = (id, name)
        return Tensor(dtype: .resource, sized: []) { $0.storeBytes(of: id, as: UInt64.self) }
    }

    /// The table that a handle stands for: a resource's, or the two strings (container and name) of TensorFlow's first
    /// versions.
    func table(_ handle: Tensor) throws -> LookupTable {
        let name: String? =
            switch handle.dtype {
            case .resource where handle.byteCount == 8: names[handle.withUnsafeBytes { $0.load(as: UInt64.self) }]
            case .string where handle.elementCount == 2: handle.knownTexts.joined(separator: "/")
            default: nil
            }
        guard let name, let table = tables[name] else {
            throw GraphError("its handle is that of no table of this session")
        }
        return table
    }
}

extension DynamicCall {
    /// What the session keeps.
    var session: SessionResources { functions.variables.resources }
}
