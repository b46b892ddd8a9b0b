// Lists of attributes, and the values of those that WebRTC uses.
#include "sdp/description.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace asiortc::sdp {
namespace {

constexpr std::array<std::pair<setup_role, std::string_view>, 4> setup_names{
    {{setup_role::actpass, "actpass"},
     {setup_role::active, "active"},
     {setup_role::passive, "passive"},
     {setup_role::holdconn, "holdconn"}}};

}  // namespace

const attribute* attribute_list::find(std::string_view name) const {
  const auto found = std::ranges::find(items, name, &attribute::name);
  return found == items.end() ? nullptr : &*found;
}

std::optional<std::string_view> attribute_list::value(std::string_view name) const {
  const attribute* found = find(name);
  if (!found) return std::nullopt;
  return found->value ? std::string_view(*found->value) : std::string_view();
}

std::vector<std::string_view> attribute_list::values(std::string_view name) const {
  std::vector<std::string_view> all;
  for (const attribute& item : items) {
    if (item.name == name) all.push_back(item.value ? *item.value : std::string_view());
  }
  return all;
}

void attribute_list::add(std::string name) { items.push_back({std::move(name), std::nullopt}); }

void attribute_list::add(std::string name, std::string value) {
  items.push_back({std::move(name), std::move(value)});
}

void attribute_list::set(std::string name, std::string value) {
  const auto found = std::ranges::find(items, name, &attribute::name);
  if (found == items.end()) {
    add(std::move(name), std::move(value));
  } else {
    found->value = std::move(value);
  }
}

void attribute_list::remove(std::string_view name) {
  std::erase_if(items, [name](const attribute& item) { return item.name == name; });
}

std::optional<setup_role> parse_setup(std::string_view value) {
  for (const auto& [role, name] : setup_names) {
    if (name == value) return role;
  }
  return std::nullopt;
}

std::string_view to_string(setup_role role) {
  for (const auto& [known, name] : setup_names) {
    if (known == role) return name;
  }
  return "unknown";
}

std::optional<std::vector<std::string>> bundle_group(const description& description) {
  for (std::string_view group : description.attributes.values("group")) {
    // RFC 5888 5: "a=group:" semantics *(SP identification-tag).
    std::vector<std::string> words;
    while (!group.empty()) {
      const std::string_view word = group.substr(0, group.find(' '));
      if (!word.empty()) words.emplace_back(word);
      group.remove_prefix(std::min(word.size() + 1, group.size()));
    }
    if (words.empty() || words.front() != "BUNDLE") continue;
    words.erase(words.begin());
    return words;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t maximum) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > maximum) {
    return std::nullopt;
  }
  return number;
}

}  // namespace asiortc::sdp
