// Owns a file descriptor.
#pragma once

#include <unistd.h>
#include <utility>

namespace asiortc::io {

class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    unique_fd(std::move(other)).swap(*this);
    return *this;
  }
  ~unique_fd() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  void swap(unique_fd& other) noexcept { std::swap(fd_, other.fd_); }

  int fd_ = -1;
};

}  // namespace asiortc::io
