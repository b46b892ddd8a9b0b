#include "datachannel/stream_ids.hpp"

namespace asiortc::datachannel {

std::optional<std::uint16_t> stream_ids::allocate(std::uint32_t limit) {
  // Low ids first: an SCTP engine may keep a table as long as the highest stream in use.
  while (!returned_.empty() && *returned_.begin() < limit) {
    const std::uint16_t id = *returned_.begin();
    returned_.erase(returned_.begin());
    if (!slots_.contains(id)) return id;
  }
  while (next_ && *next_ < limit) {
    const auto id = static_cast<std::uint16_t>(*next_);
    *next_ += 2;
    if (!slots_.contains(id)) return id;
  }
  return std::nullopt;
}

stream_slot* stream_ids::find(std::uint16_t id) {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : &found->second;
}

const stream_slot* stream_ids::find(std::uint16_t id) const {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : &found->second;
}

void stream_ids::take(std::uint16_t id, channel& owner) {
  slots_[id].owner = &owner;
  mark_used(id);
}

bool stream_ids::may_answer_reset(std::uint16_t id) {
  if (answered_.size() <= id) answered_.resize(id + std::size_t{1});
  const bool first = !answered_[id];
  answered_[id] = true;
  return first;
}

void stream_ids::mark_used(std::uint16_t id) {
  if (id < answered_.size()) answered_[id] = false;
}

void stream_ids::release(std::uint16_t id) {
  slots_.erase(id);
  if (is_ours(id) && id < *next_) returned_.insert(id);
}

}  // namespace asiortc::datachannel
