// What peers send, taken as fast as it is read.
#include "mesh/mesh_state.hpp"

#include <asiortc/error.hpp>

#include <algorithm>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

/// An empty packet costs memory too, so a bound that counts bytes alone would not hold.
std::size_t packet_cost(const std::vector<std::uint8_t>& bytes) { return bytes.size() + 64; }

/// Taken of one channel before another's turn comes.
constexpr int packets_at_once = 64;

}  // namespace

void mesh_state::wait_for_message(const member_ptr& member, transfer_mode mode) {
  if (context_gone()) return;
  if (!member->channel(mode)) return end_of(member);
  member->channel(mode).async_receive(on_strand(
      [self = self(), member, mode](boost::system::error_code, std::optional<message> received) {
        const guard lock(self->mutex_);
        if (!received) return self->end_of(member);
        if (self->receive(member, mode, std::move(*received))) return self->read(member, mode);
        self->end_of(member);
      }));
}

void mesh_state::read(const member_ptr& member, transfer_mode mode) {
  for (int taken = 0; taken < packets_at_once; ++taken) {
    if (!member->channel(mode)) return end_of(member);
    if (unread_cost_ >= options_.receive_budget) {
      stalled_.emplace_back(member, mode);
      return;
    }
    auto next = member->channel(mode).try_receive();
    if (!next) return wait_for_message(member, mode);
    if (!receive(member, mode, std::move(*next))) return end_of(member);
  }
  if (context_gone()) return;
  post([self = self(), member, mode] {
    const guard lock(self->mutex_);
    self->read(member, mode);
  });
}

bool mesh_state::receive(const member_ptr& member, transfer_mode mode, message&& content) {
  if (content.size() > options_.max_packet_size) {
    depart(member, errc::message_too_large, ending::at_once);
    return false;
  }
  mesh_packet packet(member->id, mode, std::move(content).take());
  const std::size_t cost = packet_cost(packet.bytes);
  unread_cost_ += cost;
  if (!packets->push(std::move(packet))) unread_cost_ -= cost;  // the mesh is closed
  return true;
}

void mesh_state::stop_reading(const member_ptr& member) {
  // A dropped channel ends the waits for its messages.
  for (auto& channel : member->channels) channel = data_channel();
  const auto stalled =
      std::erase_if(stalled_, [&](const stalled_reader& reader) { return reader.first == member; });
  for (std::size_t ended = 0; ended < stalled; ++ended) end_of(member);
}

void mesh_state::note_taken(const mesh_packet& packet) {
  const guard lock(mutex_);
  unread_cost_ -= std::min(unread_cost_, packet_cost(packet.bytes));
  const bool worth_it = !stalled_.empty() && unread_cost_ <= options_.receive_budget / 2;
  if (!worth_it || resuming_ || context_gone()) return;
  resuming_ = true;
  post([self = self()] {
    const guard held(self->mutex_);
    self->resuming_ = false;
    self->resume_readers();
  });
}

void mesh_state::resume_readers() {
  for (const auto& [member, mode] : std::exchange(stalled_, {})) read(member, mode);
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
