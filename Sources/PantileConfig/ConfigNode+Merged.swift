extension ConfigNode {
  /// This tree over `base`: mappings merge key by key, all else replaces.
  ///
  /// - Parameters:
  ///   - discriminators: keys that say what a section is; where they differ, the whole section is replaced, because its other keys
  ///     would belong to the old one.
  ///   - keys: left out of the result, at every level.
  public func merged(
    over base: ConfigNode, replacingWhere discriminators: [String] = [], except keys: [String] = []
  ) -> ConfigNode {
    guard case .mapping(var entries) = base.content, case .mapping(let changes) = content else { return self }
    for key in discriminators {
      if case .scalar(let new, _)? = self[key]?.content, case .scalar(let old, _)? = base[key]?.content, new != old {
        return self
      }
    }
    for change in changes where !keys.contains(change.key) {
      if let index = entries.firstIndex(where: { $0.key == change.key }) {
        entries[index].value = change.value.merged(
          over: entries[index].value, replacingWhere: discriminators, except: keys)
      } else {
        entries.append(change)
      }
    }
    var result = self
    result.content = .mapping(entries)
    return result
  }
}
