/// Numbers one at a time of a `Philox`, as TensorFlow's `SimplePhilox` draws them.
struct PhiloxNumbers {
    private var words: PhiloxWords

    init(_ generator: Philox) { words = PhiloxWords(generator) }

    mutating func word() -> UInt32 { words.next() }

    /// The lower half comes first.
    mutating func wide() -> UInt64 {
        let low = words.next()
        return UInt64(low) | UInt64(words.next()) << 32
    }

    /// In [0, 1).
    mutating func float() -> Float {
        let word = words.next()
        return Float.uniform(word, word)
    }

    /// In [0, 1).
    mutating func double() -> Double {
        let high = words.next()
        return Double.uniform(high, words.next())
    }

    /// In [0, n), each number as likely: what would favour small ones is drawn again. n is at least 1.
    mutating func below(_ n: UInt32) -> UInt32 {
        if n & (n - 1) == 0 { return word() & (n - 1) }
        let rest = UInt32.max % n + 1
        while true {
            let drawn = word()
            if drawn >= rest { return drawn % n }
        }
    }

    /// As `below`, of 64 bits.
    mutating func below(wide n: UInt64) -> UInt64 {
        if n & (n - 1) == 0 { return wide() & (n - 1) }
        let rest = UInt64.max % n + 1
        while true {
            let drawn = wide()
            if drawn >= rest { return drawn % n }
        }
    }
}
