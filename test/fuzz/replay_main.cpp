// Runs files through a fuzz target without a fuzzer: the corpus on every run of the tests.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void replay(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(input), {}};
  // A buffer of the exact size, so that reading past its end is seen by the sanitizer.
  bytes.shrink_to_fit();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    const fs::path argument(argv[i]);
    if (!fs::is_directory(argument)) {
      replay(argument);
      ++count;
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argument)) {
      if (!entry.is_regular_file()) continue;
      replay(entry.path());
      ++count;
    }
  }
  std::printf("%zu inputs replayed\n", count);
  // A corpus that is not there would otherwise pass unseen.
  return count == 0 ? 1 : 0;
}
