// That this program was built is the test: see meson.build beside it.
int main() { return 0; }
