/// Adds the sums of the columns of a `rows` × `columns` matrix to `target`.
func addColumnSums<Scalar: CellScalar>(
    of matrix: UnsafePointer<Scalar>, rows: Int, columns: Int, to target: UnsafeMutablePointer<Scalar>
) {
    for row in 0..<rows {
        let values = matrix + row * columns
        for j in 0..<columns { target[j] += values[j] }
    }
}

/// `target` becomes the transpose of a `rows` × `columns` matrix, tile by tile, so that both stay in the cache.
func transpose<Scalar: CellScalar>(
    _ matrix: UnsafePointer<Scalar>, rows: Int, columns: Int, to target: UnsafeMutablePointer<Scalar>
) {
    let tile = 32
    for top in stride(from: 0, to: rows, by: tile) {
        for left in stride(from: 0, to: columns, by: tile) {
            for j in left..<min(left + tile, columns) {
                for i in top..<min(top + tile, rows) { target[j * rows + i] = matrix[i * columns + j] }
            }
        }
    }
}
