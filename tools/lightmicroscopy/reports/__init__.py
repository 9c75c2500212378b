"""Reports: tables for programs, pages and pictures for people."""
