// One packet to one peer or to many.
#include "mesh/mesh_state.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <limits>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

using boost::system::error_code;

/// The sends that one packet has become; used on the strand once they have begun.
class delivery {
 public:
  delivery(std::shared_ptr<void_operation> waiting, std::size_t count, bool to_one)
      : waiting_(std::move(waiting)), signals_(count), left_(count), to_one_(to_one) {}

  [[nodiscard]] boost::asio::cancellation_slot slot(std::size_t number) {
    return signals_[number].slot();
  }

  void cancel() {
    for (auto& signal : signals_) signal.emit(boost::asio::cancellation_type::terminal);
  }

  void note(error_code code) {
    if (!code) sent_ = true;
    // One of many that ends meanwhile is one that is left out.
    const bool aborted = code == boost::asio::error::operation_aborted;
    if (code && (to_one_ || aborted)) failure_ = code;
    if (--left_ == 0) waiting_->complete(sent_ ? error_code() : failure_);
  }

 private:
  const std::shared_ptr<void_operation> waiting_;
  std::vector<boost::asio::cancellation_signal> signals_;
  std::size_t left_;
  const bool to_one_;
  bool sent_ = false;
  error_code failure_;
};

std::string too_large(std::size_t size, const std::string& whose, std::uint64_t most) {
  return "async_send: the packet has " + std::to_string(size) + " bytes, " + whose +
         " takes at most " + std::to_string(most);
}

}  // namespace

std::optional<std::pair<errc, std::string>> mesh_state::choose_targets(
    mesh_id target, std::size_t size, std::vector<member_ptr>& targets) const {
  using refusal = std::pair<errc, std::string>;
  const std::string shown = std::to_string(target);
  if (closing_) return refusal(errc::invalid_state, "async_send: the mesh is closed");
  if (target == std::numeric_limits<mesh_id>::min()) {
    return refusal(errc::type_error, "async_send: the target " + shown + " is below -2147483647");
  }
  if (status_ == mesh_status::disconnected) {
    return refusal(errc::invalid_state, "async_send: the server is gone");
  }
  if (size > options_.max_packet_size) {
    return refusal(errc::message_too_large, too_large(size, "the mesh", options_.max_packet_size));
  }
  if (target > 0) {
    const auto found = peers_.find(target);
    if (found == peers_.end()) {
      return refusal(errc::peer_not_found, "async_send: there is no peer " + shown);
    }
    if (!found->second->up) {
      return refusal(errc::invalid_state, "async_send: the peer " + shown + " is not connected");
    }
    targets.push_back(found->second);
  } else {
    for (const auto& [id, member] : peers_) {
      if (member->up && id != -target) targets.push_back(member);
    }
  }
  for (const auto& member : targets) {
    if (size <= member->max_message_size) continue;
    return refusal(
        errc::message_too_large,
        too_large(size, "the peer " + std::to_string(member->id), member->max_message_size));
  }
  return std::nullopt;
}

void mesh_state::start_send(void_completion handler, mesh_id target,
                            std::vector<std::uint8_t> bytes, transfer_mode mode) {
  const guard lock(mutex_);
  if (context_gone()) return;
  const auto waiting = void_operation::start(executor_, std::move(handler));
  std::vector<member_ptr> targets;
  if (auto refused = choose_targets(target, bytes.size(), targets)) {
    last_error_detail_ = std::move(refused->second);
    return waiting->complete(refused->first);
  }
  if (targets.empty()) return waiting->complete({});
  const auto sends = std::make_shared<delivery>(waiting, targets.size(), target > 0);
  waiting->on_cancel([strand = strand_, weak = std::weak_ptr<delivery>(sends)] {
    boost::asio::post(strand, [weak] {
      if (const auto held = weak.lock()) held->cancel();
    });
  });
  const auto send_to = [&](std::size_t number, std::vector<std::uint8_t> content) {
    targets[number]->channel(mode).async_send(
        message(std::move(content), false),
        boost::asio::bind_cancellation_slot(
            sends->slot(number), on_strand([sends](error_code code) { sends->note(code); })));
  };
  const std::size_t last = targets.size() - 1;
  for (std::size_t number = 0; number < last; ++number) send_to(number, bytes);
  send_to(last, std::move(bytes));
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
