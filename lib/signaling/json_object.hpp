// Reading JSON from the network: bounded depth, typed fields, and words for what is wrong.
#pragma once

#include "signaling/messages.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace asiortc::signaling {

using json = nlohmann::json;

/// Parses one JSON object of at most `max_json_depth` levels; never throws.
decoded<json> parse_object(std::string_view text);

/// Names come from the network as valid UTF-8, but a caller's may not be: what is not is replaced.
std::string to_text(const json& value);

/// Takes typed fields out of an object. The first field that is missing, ill-typed or out of
/// bounds is remembered as a complaint, and what is read from then on is of no use.
class object_reader {
 public:
  /// `text` is what `object` was parsed from, where a value is to be taken as it was written.
  explicit object_reader(const json& object, std::string_view text = {})
      : object_(object), text_(text) {}

  [[nodiscard]] bool has(const char* field) const { return object_.contains(field); }

  std::string text(const char* field, std::size_t max_size);
  std::string text_or_empty(const char* field, std::size_t max_size);
  std::uint64_t integer(const char* field, std::uint64_t min, std::uint64_t max);
  std::optional<std::uint64_t> optional_integer(const char* field, std::uint64_t min,
                                                std::uint64_t max);
  peer_id peer(const char* field);
  bool boolean_or_false(const char* field);
  /// A field that must be an object or an array; null (and a complaint) where it is not.
  const json& object(const char* field);
  const json& array(const char* field);
  /// Whatever the value is, as it was written; empty where there is none.
  json_text any(const char* field);
  /// An object as it was written: its numbers, the order of its keys, its white space.
  json_text object_text(const char* field);

  void complain(std::string what);
  [[nodiscard]] bool ok() const { return complaint_.empty(); }
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  const json* find(const char* field, const char* expected);

  const json& object_;
  std::string_view text_;
  std::string complaint_;
};

inline constexpr std::uint64_t any_integer = std::numeric_limits<std::uint64_t>::max();

}  // namespace asiortc::signaling
