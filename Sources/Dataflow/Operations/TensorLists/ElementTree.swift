/// The elements of a list by index: a value that shares with others made from it whatever they have in common.
///
/// A tree of nodes with 16 places each (Bagwell's hash trie over indices, as in Clojure's vectors): reading, writing,
/// appending and dropping the last element take time in the logarithm of the length, and all older versions stay as they
/// were. Places without an element take no memory, so that adding up lists with few elements costs no more than these.
package struct ElementTree: Sendable {
    private enum Node: Sendable {
        /// No element anywhere below.
        case vacant
        /// 16 places.
        case leaf([KeptTensor?])
        /// 16 subtrees.
        case branch([Node])
    }

    package private(set) var count: Int
    private var height: Int
    private var root: Node

    private static let width = 16
    private static let bits = 4

    /// `count` places without elements.
    package init(count: Int = 0) {
        self.count = count
        height = Self.height(count)
        root = .vacant
    }

    package init(_ elements: [Tensor?]) {
        self.init(count: elements.count)
        root = Self.build(elements, height)
    }

    /// The least height of a tree that has room for so many.
    private static func height(_ count: Int) -> Int {
        var (height, room) = (0, width)
        while room < count {
            height += 1
            room = room.multipliedReportingOverflow(by: width).overflow ? .max : room * width
        }
        return height
    }

    private static func build(_ elements: [Tensor?], _ height: Int) -> Node {
        var level = stride(from: 0, to: elements.count, by: width).map { start -> Node in
            let own = elements[start..<min(start + width, elements.count)]
            guard own.contains(where: { $0 != nil }) else { return .vacant }
            return .leaf(own.map { $0.map(KeptTensor.init) } + [KeptTensor?](repeating: nil, count: width - own.count))
        }
        for _ in 0..<height {
            level = stride(from: 0, to: level.count, by: width).map { start -> Node in
                let own = level[start..<min(start + width, level.count)]
                return .branch(Array(own) + [Node](repeating: .vacant, count: width - own.count))
            }
        }
        return level.first ?? .vacant
    }

    /// The element at `index`, nil if there is none. Traps out of range.
    package subscript(index: Int) -> Tensor? {
        require((0..<count).contains(index), "element \(index) of \(count)")
        var node = root
        for level in stride(from: height, to: 0, by: -1) {
            guard case .branch(let children) = node else { return nil }
            node = children[(index >> (level * Self.bits)) & (Self.width - 1)]
        }
        guard case .leaf(let elements) = node else { return nil }
        return elements[index & (Self.width - 1)]?.tensor
    }

    /// Puts an element at `index`. Traps out of range.
    package mutating func set(_ element: Tensor, at index: Int) {
        require((0..<count).contains(index), "element \(index) of \(count)")
        root = Self.setting(element, at: index, in: root, height)
    }

    private static func setting(_ element: Tensor, at index: Int, in node: Node, _ height: Int) -> Node {
        let place = (index >> (height * bits)) & (width - 1)
        guard height > 0 else {
            var elements = [KeptTensor?](repeating: nil, count: width)
            if case .leaf(let own) = node { elements = own }
            elements[place] = KeptTensor(element)
            return .leaf(elements)
        }
        var children = [Node](repeating: .vacant, count: width)
        if case .branch(let own) = node { children = own }
        children[place] = setting(element, at: index, in: children[place], height - 1)
        return .branch(children)
    }

    package mutating func append(_ element: Tensor) {
        resize(to: count + 1)
        set(element, at: count - 1)
    }

    /// Adds places without elements, or drops elements from the end.
    package mutating func resize(to count: Int) {
        let wanted = Self.height(count)
        if count < self.count { root = Self.clearing(from: count, in: root, height) }
        while height < wanted {
            if case .vacant = root {
            } else {
                root = .branch([root] + [Node](repeating: .vacant, count: Self.width - 1))
            }
            height += 1
        }
        while height > wanted {
            if case .branch(let children) = root { root = children[0] }
            height -= 1
        }
        self.count = count
    }

    private static func clearing(from index: Int, in node: Node, _ height: Int) -> Node {
        guard index > 0 else { return .vacant }
        let place = (index >> (height * bits)) & (width - 1)
        switch node {
        case .vacant: return node
        case .leaf(var elements):
            for i in place..<width { elements[i] = nil }
            return .leaf(elements)
        case .branch(var children):
            for i in place + 1..<width { children[i] = .vacant }
            let below = index & ((1 << (height * bits)) - 1)
            children[place] = clearing(from: below, in: children[place], height - 1)
            return .branch(children)
        }
    }

    /// All places in order.
    package var all: [Tensor?] { (0..<count).map { self[$0] } }

    /// The same places with each element changed.
    func map(_ change: (Tensor) throws -> Tensor) rethrows -> ElementTree {
        var result = self
        result.root = try Self.map(root, change)
        return result
    }

    private static func map(_ node: Node, _ change: (Tensor) throws -> Tensor) rethrows -> Node {
        switch node {
        case .vacant: .vacant
        case .leaf(let elements): .leaf(try elements.map { try $0.map { KeptTensor(try change($0.tensor)) } })
        case .branch(let children): .branch(try children.map { try map($0, change) })
        }
    }

    /// The elements of both, joined where both have one. Traps if they differ in length.
    package static func merge(
        _ a: ElementTree, _ b: ElementTree, _ join: (Tensor, Tensor) throws -> Tensor
    ) rethrows -> ElementTree {
        require(a.count == b.count, "trees of \(a.count) and \(b.count) places")
        var result = a
        result.root = try merge(a.root, b.root, join)
        return result
    }

    private static func merge(_ a: Node, _ b: Node, _ join: (Tensor, Tensor) throws -> Tensor) rethrows -> Node {
        switch (a, b) {
        case (.vacant, _): b
        case (_, .vacant): a
        case (.leaf(let x), .leaf(let y)):
            .leaf(
                try zip(x, y).map { x, y in
                    guard let x, let y else { return x ?? y }
                    return KeptTensor(try join(x.tensor, y.tensor))
                })
        case (.branch(let x), .branch(let y)): .branch(try zip(x, y).map { try merge($0, $1, join) })
        default: fatalError("trees of one length are of one height")
        }
    }
}
