#include "io/backlog_sender.hpp"

namespace asiortc::io {

void backlog_sender::send(int fd, const base::packet_batch& batch, std::size_t first,
                          std::size_t last, std::vector<base::route>& failed) {
  if (blocked()) {
    keep(batch, first, last);
    return;
  }
  const std::size_t next = sender_.send(fd, batch, first, last, failed);
  if (next < last) keep(batch, next, last);
}

void backlog_sender::send_kept(int fd, std::vector<base::route>& failed) {
  if (!blocked()) return;
  sent_ = sender_.send(fd, kept_, sent_, kept_.size(), failed);
  if (!blocked()) clear();
}

void backlog_sender::keep(const base::packet_batch& batch, std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    const auto& packet = batch.entries()[i];
    if (kept_.total_bytes() + packet.size > max_bytes) {
      ++dropped_;
      continue;
    }
    kept_.set_route(packet.to, packet.kind);
    kept_.append(batch.view(packet));
  }
}

void backlog_sender::clear() {
  kept_.release();
  sent_ = 0;
}

}  // namespace asiortc::io
