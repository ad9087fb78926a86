"""What every suite needs: processes, the proxy under test, results."""
